"""Promises of `smallhold.evals.faults.wire`: this file holds tests of the JSON of completions."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.faults import Answer, Calls, Endless, Line, Reply, Text, Wish
from smallhold.evals.faults.wire import (
    chunks,
    completion,
    event,
    in_dialect,
    max_tokens,
    pieces,
    read_lines,
    read_tools,
)
from smallhold.messages import JsonObject, JsonValue, Role

TEXTS = st.text(max_size=40)
REPLIES: st.SearchStrategy[Reply] = st.one_of(
    st.builds(Answer, text=TEXTS),
    st.builds(Text, text=TEXTS),
    st.builds(Endless, phrase=st.just("and so on ")),
    st.builds(
        Calls,
        wishes=st.lists(st.builds(Wish, name=TEXTS, arguments=TEXTS), min_size=1, max_size=3).map(
            tuple
        ),
        text=TEXTS,
        is_cut=st.booleans(),
    ),
)


def whole(reply: Reply) -> tuple[str, list[tuple[str, str, str]], str]:
    """Give text, calls and reason of the one response."""
    choice = cast("Any", completion(reply, max_tokens=30, turn=1))["choices"][0]
    message = choice["message"]
    calls = [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls", [])
    ]
    return message["content"] or "", calls, choice["finish_reason"]


def streamed(reply: Reply) -> tuple[str, list[tuple[str, str, str]], str]:
    """Put text, calls and reason of a stream together, as a client does."""
    text, reason = "", ""
    calls: list[list[str]] = []
    for chunk in chunks(reply, max_tokens=30, turn=1):
        choice = json.loads(event(chunk).removeprefix(b"data: "))["choices"][0]
        delta = choice["delta"]
        text += delta.get("content") or ""
        reason = choice["finish_reason"] or reason
        for part in delta.get("tool_calls", []):
            if "id" in part:
                calls.append([part["id"], part["function"]["name"], ""])
            calls[part["index"]][2] += part["function"]["arguments"]
    return text, [(key, name, arguments) for key, name, arguments in calls], reason


@given(REPLIES)
def test_a_stream_says_the_same_as_one_response(reply: Reply) -> None:
    assert streamed(reply) == whole(reply)


@given(TEXTS)
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Answer(text="yes"), "stop"),
        (Endless(phrase="on "), "length"),
        (Calls(wishes=(Wish(name="a", arguments="{}"),)), "tool_calls"),
        (Calls(wishes=(Wish(name="a", arguments="{"),), is_cut=True), "length"),
    ],
)
def test_the_reason_for_the_end_is_told(reply: Reply, reason: str) -> None:
    assert whole(reply)[2] == reason


def test_an_answer_goes_through_the_tool_that_a_framework_has_for_it() -> None:
    answer = Answer(text="It is 18 degrees.")
    (wish,) = cast("Calls", in_dialect(answer, tools=["final_answer"])).wishes
    assert json.loads(wish.arguments) == {"answer": "It is 18 degrees."}
    assert in_dialect(answer, tools=["search"]) == answer
    assert in_dialect(Text(text="raw"), tools=["final_answer"]) == Text(text="raw")


def test_messages_are_read_whether_text_or_parts_and_whoever_speaks() -> None:
    parts: list[JsonValue] = [{"text": "Hello"}, {"type": "image_url"}, {"text": "!"}]
    spoken: JsonObject = {"role": "user", "content": parts}
    messages: list[JsonValue] = [
        {"role": "developer", "content": "Be kind."},
        spoken,
        {"role": "assistant", "content": None},
        "no message",
    ]
    lines = read_lines({"messages": messages})
    assert lines == (
        Line(role=Role.SYSTEM, text="Be kind."),
        Line(role=Role.USER, text="Hello!"),
        Line(role=Role.ASSISTANT, text=""),
    )


def test_tools_and_limits_are_read_and_may_be_absent() -> None:
    assert read_tools({"tools": [{"function": {"name": "search"}}, {}]}) == ("search",)
    assert read_tools({}) == ()
    assert max_tokens({"max_tokens": 7}) == 7
    assert max_tokens({"max_completion_tokens": 8, "max_tokens": 7}) == 8
    assert max_tokens({}) > 0
