from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.context.budget import ContextBudget, tokens_of
from smallhold.exceptions import ConfigError

SIZES = [
    "answer", "instructions", "tools", "examples", "history", "tool_result", "message", "summary",
    "facts",
]  # fmt: skip


def test_a_whole_number_counts_tokens_and_a_fraction_is_a_share_of_the_window() -> None:
    budget = ContextBudget(history=300, tool_result=0.5).resolved(
        context_tokens=1_000, max_tokens=100
    )
    assert budget.history == 300
    assert budget.tool_result == 500


def test_an_answer_is_given_what_it_may_have_but_no_more_than_a_quarter() -> None:
    short = ContextBudget().resolved(context_tokens=4_096, max_tokens=100)
    long = ContextBudget().resolved(context_tokens=4_096, max_tokens=4_000)
    assert short.prompt == 4_096 - 100
    assert long.prompt == 4_096 - 1_024


def test_a_budget_for_the_answer_goes_before_the_tokens_that_are_asked_for() -> None:
    budget = ContextBudget(answer=0.5).resolved(context_tokens=1_000, max_tokens=10)
    assert budget.prompt == 500


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("value", [0, -1, 0.0, 1.5, float("nan"), True, "100"])
def test_a_size_that_cannot_be_is_refused_with_its_name(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name} = .*give tokens"):
        ContextBudget(**{name: value})  # pyright: ignore[reportArgumentType] - that is the test


@pytest.mark.parametrize("name", ["compact_to_ratio", "summary_timeout_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_or_a_time_that_cannot_be_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        ContextBudget(**{name: value})  # pyright: ignore[reportArgumentType] - any of them


def test_an_answer_that_takes_the_whole_window_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"answer = 512 cannot be used.*has 512 tokens"):
        ContextBudget(answer=512).resolved(context_tokens=512, max_tokens=8)


def test_every_size_is_checked() -> None:
    others = {"compact_to_ratio", "summarises", "summary_timeout_s"}
    assert {field.name for field in fields(ContextBudget)} == {*SIZES, *others}


@given(
    share=st.floats(min_value=0, max_value=1, exclude_min=True),
    context_tokens=st.integers(min_value=2, max_value=200_000),
)
def test_a_share_is_at_least_a_token_and_at_most_the_window(
    share: float, context_tokens: int
) -> None:
    assert 1 <= tokens_of(share, context_tokens) <= context_tokens


@given(
    context_tokens=st.integers(min_value=2, max_value=200_000),
    max_tokens=st.integers(min_value=1, max_value=200_000),
)
def test_prompt_and_answer_share_any_window_and_neither_is_left_without(
    context_tokens: int, max_tokens: int
) -> None:
    budget = ContextBudget().resolved(context_tokens=context_tokens, max_tokens=max_tokens)
    assert budget.answer >= 1
    assert budget.prompt >= 1
    assert budget.prompt + budget.answer == context_tokens
