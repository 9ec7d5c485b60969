"""Promises of `smallhold.evals.bench.prompts`: this file holds tests of made-up texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.prompts import (
    SHOPS,
    document,
    instructions,
    made_up_row,
    prompt_of,
    question,
    sentences_between,
    sentences_for,
    tools_of,
)
from smallhold.evals.bfcl import score_row
from smallhold.generation import Prompt
from smallhold.messages import ToolCall

agents = st.integers(min_value=0, max_value=len(SHOPS) - 1)
numbers = st.integers(min_value=0, max_value=10_000_000)


@given(agents, agents)
def test_two_agents_share_neither_beginning_nor_tools(one: int, other: int) -> None:
    if one != other:
        first = {instructions(agent, sentences=3).split(" employs")[0] for agent in (one, other)}
        assert len(first) == 2
        names = [{tool.name for tool in tools_of(agent)} for agent in (one, other)]
        assert not names[0] & names[1]


@given(agents)
def test_an_agent_is_the_same_every_time(agent: int) -> None:
    assert instructions(agent, sentences=5) == instructions(agent, sentences=5)
    assert tools_of(agent) == tools_of(agent)


@given(numbers, numbers)
def test_every_question_and_document_is_another_one(one: int, other: int) -> None:
    if one != other:
        assert question(one) != question(other)
        assert document(one, sentences=2) != document(other, sentences=2)


def test_instructions_have_as_many_rules_as_asked_for() -> None:
    assert instructions(0, sentences=7).count("When a ") == 7


@given(st.integers(min_value=0, max_value=99))
def test_a_made_up_row_is_answered_by_one_of_its_tools(number: int) -> None:
    row = made_up_row(number)
    assert row.ground_truth is not None
    (expected,) = row.ground_truth
    arguments = {name: values[0] for name, values in expected.accepted.items()}
    right = ToolCall(id="call", name=expected.name, arguments=arguments)
    assert score_row(row, [right]).correct
    for tool in row.tools:
        other = ToolCall(id="call", name=tool.name, arguments=arguments)
        assert score_row(row, [other]).correct is (tool.name == expected.name)


def test_a_prompt_without_a_message_has_instructions_only() -> None:
    assert [message.content for message in prompt_of("Be brief.").messages] == ["Be brief."]


@given(st.integers(min_value=1, max_value=30), st.integers(min_value=0, max_value=200))
def test_a_line_of_sentences_is_continued_to_the_wanted_length(slope: int, base: int) -> None:
    counts = (base + 8 * slope, base + 40 * slope)
    assert sentences_between((8, 40), counts=counts, tokens=base + 100 * slope) == 100


def test_there_is_always_a_sentence() -> None:
    assert sentences_between((8, 40), counts=(100, 400), tokens=3) == 1


@pytest.mark.anyio
async def test_lengths_are_found_with_the_model_s_own_counter() -> None:
    async def count(prompt: Prompt) -> int:
        return len(prompt.messages[0].content.split())

    def make(sentences: int) -> Prompt:
        return prompt_of("one two three four " * sentences)

    assert await sentences_for(1000, make=make, count=count) == 250
