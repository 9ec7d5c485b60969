"""Promises of `smallhold.tools.retrieval.clauses`: this file holds tests of dividing messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.retrieval.clauses import CLAUSES_MAX, TEXT_MAX_CHARS, clauses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Book a table. Then call a taxi!", ("Book a table.", "Then call a taxi!")),
        ("Book a table\nCall a taxi", ("Book a table", "Call a taxi")),
        ("Book a table and call a taxi", ("Book a table and call a taxi",)),
        ("Convert 3.14 miles", ("Convert 3.14 miles",)),
        ("Hello! Where is my parcel?", ("Hello! Where is my parcel?",)),
        ("Ask Dr. Smith for a date. Thanks.", ("Ask Dr.", "Smith for a date. Thanks.")),
        ("请查天气。请订桌子。", ("请查天气。", "请订桌子。")),
        ("Where is my parcel? Thanks!", ("Where is my parcel? Thanks!",)),
        ("", ("",)),
        ("   ", ("",)),
    ],
)
def test_sentences_are_clauses_and_short_ones_join_their_neighbour(
    text: str, expected: tuple[str, ...]
) -> None:
    assert clauses(text) == expected


def test_many_sentences_are_taken_together() -> None:
    found = clauses(" ".join(f"Do thing number {number}." for number in range(30)))
    assert 1 < len(found) <= CLAUSES_MAX
    assert "Do thing number 0." in found[0]
    assert "Do thing number 29." in found[-1]


def test_of_a_very_long_message_both_ends_are_searched() -> None:
    found = " ".join(clauses(f"Summarise this. {'word ' * 10_000} Send it to Ann."))
    assert len(found) <= TEXT_MAX_CHARS + CLAUSES_MAX
    assert "Summarise this." in found
    assert "Send it to Ann." in found


@given(st.text(max_size=300))
def test_no_word_of_a_message_gets_lost(text: str) -> None:
    found = clauses(text)
    assert 1 <= len(found) <= CLAUSES_MAX
    assert "".join("".join(found).split()) == "".join(text.split())
