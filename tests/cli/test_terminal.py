"""Promises of `smallhold.cli.terminal`: this file holds tests of foreign text and JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.terminal import (
    foreign,
    one_line,
    printable,
    result_console,
    side_console,
    write_json,
)


@given(st.text())
def test_printable_text_holds_no_control_character_but_tab_and_line_feed(text: str) -> None:
    shown = printable(text)
    assert not [c for c in shown if c not in "\t\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]


@given(st.text(st.characters(exclude_categories=["C"])))
def test_text_without_control_characters_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_an_escape_sequence_of_a_model_cannot_reach_the_terminal() -> None:
    assert "\x1b" not in printable("\x1b]0;title\x07\x1b[2Jtext")


def test_square_brackets_of_a_model_are_text_and_not_markup() -> None:
    assert foreign("[red]7[/red] [1/2]").plain == "[red]7[/red] [1/2]"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit_chars=limit)
    assert len(line) <= limit
    assert "\n" not in line


def test_a_line_that_was_shortened_says_so() -> None:
    assert one_line("one two three", limit_chars=8) == "one two…"


def test_json_is_one_line_of_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"text": "Grüße\n中"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == {"text": "Grüße\n中"}


def test_under_json_people_read_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    result_console(as_json=True).print("for people")
    side_console().print("a note")
    result_console().print("a result")
    captured = capsys.readouterr()
    assert captured.out == "a result\n"
    assert captured.err == "for people\na note\n"
