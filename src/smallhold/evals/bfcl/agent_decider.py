"""Our agent before the board's questions: this file holds how a row is answered."""

from __future__ import annotations

from smallhold.agents.planning import ScoredPlanner, ToolChoice
from smallhold.evals.bfcl.dataset import BFCLRow
from smallhold.evals.bfcl.runner import Decide, Decided
from smallhold.generation import Prompt
from smallhold.messages import Usage
from smallhold.runtimes.protocol import Runtime

MAX_CALL_TOKENS = 512
"""Most tokens of a call's arguments, as an agent has by default (`Config.max_tokens`)."""


def scored_decider(
    runtime: Runtime, *, tool_choice: ToolChoice, max_tokens: int = MAX_CALL_TOKENS
) -> Decide:
    """Make the answerer of rows on a runtime whose decoder is ours.

    The planner adds its samples to the row's messages and tools, as for any agent. A call that was
    cut off at `max_tokens` is no call, since an agent would not run it.

    Args:
        runtime: What runs the model.
        tool_choice: Whether a row may be answered without a call.
        max_tokens: Most tokens of one call's arguments.
    """
    planner = ScoredPlanner(runtime=runtime, max_tokens=max_tokens)

    async def decide(row: BFCLRow) -> Decided:
        if not row.tools:
            return Decided(calls=(), usage=Usage())
        prompt = Prompt(messages=row.messages, tools=row.tools)
        plan = await planner.plan(prompt, tool_choice=tool_choice, call_id=row.id)
        calls = tuple(planned.call for planned in plan.calls if planned.is_complete)
        return Decided(calls=calls, usage=plan.usage)

    return decide
