"""What a model makes of samples: this file holds their scoring and filling.

The planner of the product asks the questions, so that a rule is fitted on what it will read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.calibration.gathered import (
    FilledRecord,
    GatheredRecord,
    MadeRecord,
    StepRecord,
    scores_of,
)
from benchmarks.calibration.samples import Sample, Wanted

from smallhold.agents.decision import Decision, next_tool, read_decision
from smallhold.agents.filling import Filling
from smallhold.agents.planning import MAX_CALLS_AT_ONCE, ScoredPlanner
from smallhold.exceptions import ModelOutputError
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest, Scores
from smallhold.messages import ToolCall
from smallhold.runtimes.limits import RuntimeLimits
from smallhold.runtimes.protocol import Runtime, TokenStream

MAX_TOKENS: Final = 400
"""Of one call's arguments."""
LEAST_MARGIN: Final = -3.0
"""Nats, read plainly, from which a call that nobody wants is filled all the same."""


@dataclass(slots=True, kw_only=True)
class RememberingRuntime:
    """Another runtime, and the scores that it gave."""

    inner: Runtime
    remembered: list[Scores] = field(default_factory=list[Scores])

    @property
    def name(self) -> str:
        """Name of the other runtime."""
        return self.inner.name

    @property
    def limits(self) -> RuntimeLimits:
        """Limits of the other runtime."""
        return self.inner.limits

    def stream(self, request: GenerationRequest) -> AbstractAsyncContextManager[TokenStream]:
        """Generate text with the other runtime."""
        return self.inner.stream(request)

    async def score(self, request: ScoreRequest) -> Scores:
        """Score with the other runtime, and remember it."""
        scores = await self.inner.score(request)
        self.remembered.append(scores)
        return scores

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count with the other runtime."""
        return await self.inner.count_tokens(prompt)

    async def aclose(self) -> None:
        """Free the other runtime."""
        await self.inner.aclose()


async def gather(sample: Sample, *, runtime: Runtime, model: str) -> GatheredRecord:
    """Score one sample, and fill the likeliest tool where it may come to a call.

    The tool is that which a model without a calibration would call, so that rows do not depend on
    an earlier fit.

    Raises:
        SmallholdError: the runtime cannot serve this sample.
    """
    remembering = RememberingRuntime(inner=runtime)
    planner = ScoredPlanner(runtime=remembering, max_tokens=MAX_TOKENS)
    await planner.decide(sample.prompt, tool_choice="auto")
    scores = remembering.remembered[-1]
    decision = read_decision(
        scores, sample.tools, text=sample.text, calibration=None, must_call=True
    )
    # A call that nobody wants and that any rule refuses teaches little for its cost.
    is_filled = sample.wanted is not Wanted.NOTHING or decision.margin >= LEAST_MARGIN
    return GatheredRecord(
        model=model,
        category=sample.category,
        id=sample.id,
        log_probs=list(scores.log_probs),
        baseline_log_probs=list(scores.baseline_log_probs or ()),
        filled=await _filled(sample, decision, planner, remembering) if is_filled else None,
    )


async def _filled(
    sample: Sample, decision: Decision, planner: ScoredPlanner, runtime: RememberingRuntime
) -> FilledRecord | None:
    """Fill the tool or a rival, and see whether more calls would be made."""
    filling = await _whole(planner, sample, (str(decision.tool), *decision.rivals))
    if filling is None:
        return None
    return FilledRecord(
        tool=filling.tool.name,
        arguments=filling.arguments,
        invented=[name for name in filling.invented if name not in filling.tool.composed],
        unmentioned=filling.unmentioned,
        steps=await _steps(sample, filling, planner, runtime),
    )


async def _steps(
    sample: Sample, first: Filling, planner: ScoredPlanner, runtime: RememberingRuntime
) -> list[StepRecord]:
    """Go on as long as more calls are right, whatever the planner says, and note its scores."""
    made: list[ToolCall] = []
    steps: list[StepRecord] = []
    filling: Filling | None = first
    while filling is not None and len(made) < min(len(sample.expected), MAX_CALLS_AT_ONCE):
        call = ToolCall(id="1", name=filling.tool.name, arguments=filling.arguments)
        if call in made:
            break
        made.append(call)
        await planner.further_tool(sample.prompt, made=made)
        log_probs = list(runtime.remembered[-1].log_probs)
        noted = [MadeRecord(name=one.name, arguments=one.arguments) for one in made]
        steps.append(StepRecord(made=noted, log_probs=log_probs))
        if len(made) < len(sample.expected):
            best = next_tool(scores_of(log_probs), sample.tools, made=made)
            filling = await _whole(planner, sample, (sample.tools[best].name,), made=made)
    return steps


async def _whole(
    planner: ScoredPlanner,
    sample: Sample,
    names: Sequence[str],
    *,
    made: Sequence[ToolCall] = (),
) -> Filling | None:
    """Fill a tool; `None` where the arguments are not whole: that is no call."""
    try:
        filling = await planner.filler.best(sample.prompt, names, made=made)
    except ModelOutputError:
        return None
    return filling if filling.is_complete else None
