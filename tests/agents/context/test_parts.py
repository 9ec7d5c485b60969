from __future__ import annotations

import pytest

from smallhold.agents.context.budget import ContextBudget, TokenBudget
from smallhold.agents.context.fitted import PartTokens
from smallhold.agents.context.parts import part_over_budget, part_over_window
from smallhold.exceptions import ContextOverflowError

PARTS = PartTokens(form=0, instructions=100, tools=800, examples=200, conversation=50)


def budget(settings: ContextBudget | None = None, *, context_tokens: int = 1_000) -> TokenBudget:
    return (settings or ContextBudget()).resolved(context_tokens=context_tokens, max_tokens=100)


def test_parts_within_their_budgets_are_no_error() -> None:
    settings = ContextBudget(instructions=100, tools=0.8, examples=200, message=50)
    assert part_over_budget(PARTS, budget(settings)) is None
    assert part_over_budget(PARTS, budget()) is None


@pytest.mark.parametrize(
    ("settings", "part", "remedy"),
    [
        (ContextBudget(instructions=99), "instructions", "Shorten the agent's `role`"),
        (ContextBudget(tools=0.5), "tools", "Offer fewer tools"),
        (ContextBudget(examples=10), "examples", "Give fewer examples"),
        (ContextBudget(message=49), "message", "Send the message in parts"),
    ],
)
def test_a_part_over_its_budget_is_named_with_a_remedy(
    settings: ContextBudget, part: str, remedy: str
) -> None:
    error = part_over_budget(PARTS, budget(settings))
    assert error is not None
    assert error.part == part
    assert remedy in str(error)


def test_the_longest_part_is_why_a_prompt_does_not_fit() -> None:
    error = part_over_window(PARTS, budget())
    assert isinstance(error, ContextOverflowError)
    assert str(error) == (
        "Too long for a context window of 1,000 tokens: the prompt's tools, 800 tokens where 550 "
        "are left. Offer fewer tools or shorter descriptions, lower `tool_limit`, or load the "
        "model with a larger `context_tokens`."
    )


def test_a_form_that_is_too_long_is_not_blamed_on_the_agents_own_words() -> None:
    parts = PartTokens(form=900, instructions=20, tools=30, examples=0, conversation=10)
    error = part_over_window(parts, budget())
    assert error.part == "form"
    assert "`role`" not in str(error)


def test_no_room_is_not_less_than_none() -> None:
    error = part_over_window(PARTS, budget(context_tokens=200))
    assert error.room_tokens == 0
