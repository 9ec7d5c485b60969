"""Promises of `smallhold.evals.knowledge.matching`: this file holds tests of what counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.knowledge import Answer, Passage, Question, Style, first_ranks

ANSWER = Answer(page="sql-vacuum.html", section="Notes", phrase="cannot be executed inside")
OTHER = Answer(page="wal.html", section="WAL Basics", phrase="log first")
QUESTION = Question(text="vacuum in a block", style=Style.KEYWORDS, answers=(ANSWER, OTHER))
ELSEWHERE = Passage(page="other.html", headings=("Notes",), text="It cannot be executed inside.")


def passage(*headings: str, page: str = "sql-vacuum.html", text: str = "Nothing of it.") -> Passage:
    return Passage(page=page, headings=headings, text=text)


def ranks(*passages: Passage) -> tuple[int | None, int | None]:
    found = first_ranks(passages, question=QUESTION)
    return found.found, found.spot


def test_the_right_section_is_found_though_the_passage_lacks_the_phrase() -> None:
    assert ranks(passage("VACUUM", "Notes")) == (1, None)


def test_the_phrase_on_the_right_page_is_the_spot_under_any_heading() -> None:
    # A short section may have been joined with the one before it.
    text = "VACUUM `cannot be executed` inside a block."
    assert ranks(passage("VACUUM", "Outputs", text=text)) == (1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        ELSEWHERE,
        passage("VACUUM"),
        passage("VACUUM", "Notes", "Subtleties"),
        passage("Notes", page="sql-vacuum.htm"),
        passage(),
    ],
)
def test_neither_the_right_words_elsewhere_nor_another_section_is_found(wrong: Passage) -> None:
    assert ranks(wrong) == (None, None)


def test_a_box_in_a_section_is_of_the_section() -> None:
    assert ranks(passage("VACUUM", "Notes", "Tip")) == (1, None)


def test_any_accepted_answer_will_do() -> None:
    assert ranks(passage("30.1. WAL\N{NO-BREAK SPACE}Basics", page="wal.html")) == (1, None)


def test_the_first_of_a_ranking_counts() -> None:
    spot = passage("VACUUM", text="cannot be executed inside")
    assert ranks(ELSEWHERE, passage("Notes"), passage("Notes"), spot, spot) == (2, 4)
    assert ranks() == (None, None)


@given(st.lists(st.sampled_from([ELSEWHERE, passage("Notes"), passage(text=ANSWER.phrase)])))
def test_the_spot_is_never_reached_before_the_section(passages: list[Passage]) -> None:
    found = first_ranks(passages, question=QUESTION)
    if found.spot is not None:
        assert found.found is not None
        assert 1 <= found.found <= found.spot <= len(passages)


@given(st.integers(0, 12))
def test_what_comes_before_only_moves_the_rank(before: int) -> None:
    assert ranks(*[ELSEWHERE] * before, passage("Notes")) == (before + 1, None)
