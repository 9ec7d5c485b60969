"""Promises of `smallhold.cli.message_text`: this file holds tests of reading messages."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.agent import MAX_MESSAGE_CHARS, check_message
from smallhold.cli.message_text import read_message
from smallhold.exceptions import InvalidMessageError


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: text != "-"))
def test_an_argument_is_the_message(text: str) -> None:
    assert read_message(text, stdin=io.BytesIO(b"not this")) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_dash_reads_stdin(text: str) -> None:
    assert read_message("-", stdin=io.BytesIO(text.encode())) == text


@given(st.binary())
def test_any_bytes_become_text_that_can_be_sent(content: bytes) -> None:
    argument = content.decode("utf-8", "surrogateescape")
    for text in (
        read_message("-", stdin=io.BytesIO(content)),
        read_message(f"x{argument}", stdin=io.BytesIO()),
    ):
        text.encode()


def test_a_megabyte_is_refused_without_reading_all_of_it() -> None:
    stdin = io.BytesIO(b"a" * 1_000_000)
    text = read_message("-", stdin=stdin)
    assert stdin.tell() < 1_000_000
    with pytest.raises(InvalidMessageError):
        check_message(text)


def test_the_longest_message_that_is_allowed_is_read_whole() -> None:
    text = "\N{GRINNING FACE}" * MAX_MESSAGE_CHARS
    assert read_message("-", stdin=io.BytesIO(text.encode())) == text
