"""Promises of `smallhold.evals.knowledge.runner`: this file holds tests of asking."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smallhold.evals.knowledge import (
    Answer,
    AskedQuestion,
    Passage,
    Question,
    Ranks,
    Style,
    ask_questions,
)
from smallhold.exceptions import ConfigError

QUESTIONS = tuple(
    Question(
        text=text,
        style=Style.KEYWORDS,
        answers=(Answer(page=page, section="Why", phrase="because"),),
    )
    for text, page in (("one", "1.html"), ("two", "2.html"), ("many", "99.html"))
)
SHELF = tuple(
    Passage(page=f"{number}.html", headings=("Why",), text="") for number in range(1, 100)
)


async def whole_shelf(question: str) -> Sequence[Passage]:
    del question
    return SHELF


async def test_each_question_gets_the_rank_of_its_answer_in_order() -> None:
    seen: list[AskedQuestion] = []
    done = await ask_questions(QUESTIONS, search=whole_shelf, on_question=seen.append)
    assert [one.ranks.found for one in done] == [1, 2, None]
    assert seen == done
    assert all(one.seconds > 0 for one in done)


async def test_an_answer_deeper_than_ten_passages_is_not_found() -> None:
    question = Question(
        text="eleventh",
        style=Style.KEYWORDS,
        answers=(Answer(page="11.html", section="Why", phrase="because"),),
    )
    (asked,) = await ask_questions([question], search=whole_shelf)
    assert asked.ranks.found is None


async def test_no_questions_are_refused() -> None:
    with pytest.raises(ConfigError):
        await ask_questions([], search=whole_shelf)


@pytest.mark.parametrize(
    ("rank", "found", "reciprocal"),
    [(1, [True, True], 1.0), (4, [False, True], 0.25), (None, [False, False], 0.0)],
)
def test_depth_and_reciprocal_rank_follow_the_rank(
    rank: int | None, found: list[bool], reciprocal: float
) -> None:
    asked = AskedQuestion(question=QUESTIONS[0], ranks=Ranks(found=rank, spot=rank), seconds=0.1)
    assert [asked.is_found(depth) for depth in (1, 5)] == found
    assert [asked.is_spot(depth) for depth in (1, 5)] == found
    assert asked.reciprocal_rank == reciprocal
