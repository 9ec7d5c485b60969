"""Promises of `smallhold.evals.knowledge.proving`: this file holds tests of the answers' proof."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallhold.evals.knowledge import Answer, Question, Style, read_questions, unproved_answers

PAGE = '<div class="sect1"><h2>1.2. Why</h2><p>Because it <em>is</em> so.</p></div>'


@pytest.fixture
def documents() -> Path:
    """The real collection, as installed or named."""
    known = read_questions()
    folder = Path(os.environ.get("SMALLHOLD_DOCUMENTS", known.folder))
    if not (folder / "index.html").is_file():
        pytest.skip(
            f"{known.package} is not installed; set SMALLHOLD_DOCUMENTS to what "
            "scripts/fetch-documents prints"
        )
    return folder


def problems(folder: Path, **changes: str) -> list[str]:
    (folder / "a.html").write_text(PAGE)
    (folder / "secret").mkdir()
    facts = {"page": "a.html", "section": "Why", "phrase": "because it is", **changes}
    question = Question(text="how so", style=Style.QUESTION, answers=(Answer(**facts),))
    found = list(unproved_answers([question], collection=folder))
    assert all(one.question is question for one in found)
    return [one.problem for one in found]


def test_an_answer_that_stands_there_is_proved(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"page": "b.html"}, "no such page"),
        ({"page": "secret"}, "no such page"),
        ({"section": "How"}, "no such section"),
        ({"phrase": "because it was"}, "does not hold the key phrase"),
    ],
)
def test_what_an_answer_lacks_is_said(
    changes: dict[str, str], problem: str, tmp_path: Path
) -> None:
    (found,) = problems(tmp_path, **changes)
    assert problem in found


def test_every_shipped_answer_stands_in_the_real_collection(documents: Path) -> None:
    found = unproved_answers(read_questions().questions, collection=documents)
    assert [f"{one.answer}: {one.problem}" for one in found] == []
