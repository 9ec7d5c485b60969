"""Promises of `smallhold.tools.a2a.pieces`: this file holds tests of grouped tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.a2a.pieces import PIECE_CHARS, Pieces


@given(st.lists(st.text(max_size=40)))
def test_nothing_is_lost_or_said_twice(tokens: list[str]) -> None:
    pieces = Pieces()
    assert "".join([*map(pieces.add, tokens), pieces.rest()]) == "".join(tokens)


@given(st.lists(st.text(min_size=1, max_size=8)))
def test_pieces_after_the_first_are_not_small(tokens: list[str]) -> None:
    pieces = Pieces()
    sent = [piece for piece in map(pieces.add, tokens) if piece]
    assert all(len(piece) >= PIECE_CHARS for piece in sent[1:])


def test_the_first_word_is_sent_at_once() -> None:
    assert Pieces().add("You") == "You"
