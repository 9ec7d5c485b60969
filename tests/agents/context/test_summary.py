from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agents.context.conversations import INSTRUCTIONS, talk

from smallhold.agents.context.summary import (
    SUMMARY_REQUEST,
    Summarised,
    one_line,
    summarise,
    summary_prompt,
)
from smallhold.exceptions import DecodeError
from smallhold.generation import LarkConstraint
from smallhold.messages import Role
from smallhold.testing import NATIVE, Delay, Entry, Fault, Reply, ScriptedRuntime, call

PROMPT = summary_prompt([INSTRUCTIONS], talk(2))


async def summed_up(*script: Entry, max_tokens: int = 50) -> Summarised:
    runtime = ScriptedRuntime(script)
    return await summarise(runtime, PROMPT, max_tokens=max_tokens, timeout_s=0.2)


def test_the_prompt_is_the_conversation_and_one_message_more() -> None:
    assert PROMPT.messages[:-1] == (INSTRUCTIONS, *talk(2))
    assert PROMPT.messages[-1].role is Role.USER
    assert PROMPT.messages[-1].content == SUMMARY_REQUEST
    assert PROMPT.tools == ()


async def test_a_summary_is_one_line_of_the_models_words() -> None:
    summarised = await summed_up("Anna waits for\n\n her lamp.")
    assert summarised.text == "Anna waits for her lamp."
    assert summarised.reason == ""
    assert summarised.usage.passes > 0


async def test_a_summary_is_held_to_prose_where_the_decoder_is_ours() -> None:
    ours, theirs = ScriptedRuntime(["A."]), ScriptedRuntime(["A."], capabilities=NATIVE)
    for runtime in (ours, theirs):
        await summarise(runtime, PROMPT, max_tokens=50, timeout_s=1.0)
    assert isinstance(ours.requests[0].constraint, LarkConstraint)
    assert theirs.requests[0].constraint is None


async def test_a_summary_that_reached_its_limit_ends_with_its_last_whole_sentence() -> None:
    summarised = await summed_up("Anna waits for her lamp. It was sent on", max_tokens=7)
    assert summarised.text == "Anna waits for her lamp."


async def test_a_model_that_fails_gives_no_summary_but_the_reason() -> None:
    summarised = await summed_up(Fault(error=DecodeError(problem="no"), after_text="Anna"))
    assert (summarised.text, summarised.reason) == ("", "the summary failed: DecodeError")


async def test_a_model_that_takes_too_long_gives_no_summary_but_the_reason() -> None:
    summarised = await summed_up(Delay(seconds=30.0), "Too late.")
    assert (summarised.text, summarised.reason) == ("", "no summary within 0.2 s")


@pytest.mark.parametrize("entry", ["", Reply(text=" \n "), '<tool_call>{"name": "a"}', call("a")])
async def test_a_model_that_writes_something_else_gives_no_summary(entry: Entry) -> None:
    summarised = await summed_up(entry)
    assert (summarised.text, summarised.reason) == ("", "the model wrote no summary")


@given(text=st.text(max_size=100), is_cut=st.booleans())
def test_any_text_becomes_a_line_that_notes_can_hold(text: str, is_cut: bool) -> None:  # noqa: FBT001 - an argument of hypothesis
    line = one_line(text, is_cut=is_cut)
    assert "\n" not in line
    assert line == line.strip()
    assert "|" not in line
