"""Our agent before questions that it may not be able to answer: this file holds its decision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smallhold.agents.planning import Intent, ScoredPlanner
from smallhold.evals.when2call.dataset import Behaviour, When2CallRow
from smallhold.evals.when2call.runner import Behave, Behaved
from smallhold.generation import Prompt
from smallhold.messages import Usage
from smallhold.runtimes.protocol import Runtime

MAX_CALL_TOKENS: Final = 512
"""Most tokens of a call's arguments, as an agent has by default (`Config.max_tokens`)."""

BEHAVIOURS: Final[Mapping[Intent, Behaviour]] = MappingProxyType({
    Intent.CALL: Behaviour.TOOL_CALL,
    Intent.ASK: Behaviour.REQUEST_FOR_INFO,
    Intent.CANNOT: Behaviour.CANNOT_ANSWER,
    Intent.ANSWER: Behaviour.CANNOT_ANSWER,
})
"""What an agent's intents are called here."""


def scored_behaviour(runtime: Runtime, *, max_tokens: int = MAX_CALL_TOKENS) -> Behave:
    """Make the decider of rows on a runtime whose decoder is ours.

    The row's messages and tools are the whole prompt, and the agent itself decides whether to call.
    Without tools there is nothing to decide: an agent answers from what it knows.

    Args:
        runtime: What runs the model.
        max_tokens: Most tokens of one call's arguments.
    """
    planner = ScoredPlanner(runtime=runtime, max_tokens=max_tokens)

    async def behave(row: When2CallRow) -> Behaved:
        if not row.tools:
            return Behaved(behaviour=BEHAVIOURS[Intent.ANSWER], usage=Usage(), is_direct=True)
        prompt = Prompt(messages=row.messages, tools=row.tools)
        plan = await planner.plan(prompt, tool_choice="auto", call_id=row.id)
        return Behaved(
            behaviour=BEHAVIOURS[plan.intent],
            usage=plan.usage,
            tools=tuple(planned.call.name for planned in plan.calls),
            is_direct=plan.intent is Intent.ANSWER,
        )

    return behave
