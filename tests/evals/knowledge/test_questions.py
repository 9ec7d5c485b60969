"""Promises of `smallhold.evals.knowledge.questions`: this file holds tests of the question set."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.knowledge import Answer, Half, Question, Style, read_questions
from smallhold.evals.knowledge.wording import plain_heading, plain_words
from smallhold.exceptions import ConfigError, DatasetError

HEADER = {
    "package": "some-doc", "folder": "/usr/share/doc/some-doc", "version": "1.0",
    "collection_licence": "MIT", "questions_licence": "Apache-2.0", "provenance": "By hand.",
}  # fmt: skip
QUESTION = {
    "text": "how so", "style": "question",
    "answers": [{"page": "a.html", "section": "Why", "phrase": "because it is"}],
}  # fmt: skip


def write(tmp_path: Path, *records: object) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, records)) + "\n")
    return file


def test_the_shipped_set_covers_its_collection_broadly() -> None:
    questions = read_questions().questions
    first = [question.answers[0] for question in questions]
    assert len(questions) >= 240
    assert len({(answer.page, answer.section) for answer in first}) >= 120
    assert len({answer.page for answer in first}) >= 60
    assert max(Counter(answer.page for answer in first).values()) <= 0.03 * len(questions)


def test_each_style_is_about_a_third_of_the_shipped_set() -> None:
    questions = read_questions().questions
    counts = Counter(question.style for question in questions)
    assert all(0.25 <= counts[style] / len(questions) <= 0.4 for style in Style)


def test_the_halves_are_about_halves_and_share_no_question() -> None:
    found = read_questions()
    development, held_out = (set(found.of_half(half)) for half in Half)
    assert not development & held_out
    assert development | held_out == set(found.questions) == set(found.of_half(None))
    assert 0.4 <= len(held_out) / len(found.questions) <= 0.6


def test_a_paraphrase_does_not_repeat_the_heading_of_its_section() -> None:
    for question in read_questions().questions:
        if question.style is Style.PARAPHRASE:
            heading = set(plain_heading(question.answers[0].section).split())
            assert not heading <= set(plain_words(question.text).split()), question.text


def test_a_question_never_changes_its_half() -> None:
    # Moving one would let settings that were chosen on it be reported on it.
    answers = (Answer(page="a.html", section="Why", phrase="because"),)
    halves = {
        text: Question(text=text, style=Style.KEYWORDS, answers=answers).half
        for text in (
            "constraint price greater than 0",
            "why are there holes in my auto increment ids?",
        )
    }
    assert halves == {
        "constraint price greater than 0": Half.HELD_OUT,
        "why are there holes in my auto increment ids?": Half.DEVELOPMENT,
    }


@given(st.text())
def test_every_text_has_a_half(text: str) -> None:
    answers = (Answer(page="a.html", section="Why", phrase="because"),)
    assert Question(text=text, style=Style.KEYWORDS, answers=answers).half in Half


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    found = read_questions(write(tmp_path, HEADER, QUESTION))
    assert (found.package, found.version, str(found.folder)) == (
        "some-doc", "1.0", "/usr/share/doc/some-doc",
    )  # fmt: skip
    answer = Answer(page="a.html", section="Why", phrase="because it is")
    assert found.questions == (Question(text="how so", style=Style.QUESTION, answers=(answer,)),)


@pytest.mark.parametrize(
    "record",
    [
        {**QUESTION, "text": " "},
        {**QUESTION, "style": "poem"},
        {**QUESTION, "answers": []},
        {**QUESTION, "answers": [{"page": "../a.html", "section": "Why", "phrase": "x"}]},
        {**QUESTION, "answers": [{"page": "a.html", "section": "Why", "phrase": "-"}]},
        {**QUESTION, "more": 1},
        [],
    ],
)
def test_a_malformed_line_is_named(record: object, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="line 3") as caught:
        read_questions(write(tmp_path, HEADER, {**QUESTION, "text": "what"}, record))
    assert caught.value.line == 3


def test_a_question_that_is_asked_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"line 3.*above"):
        read_questions(write(tmp_path, HEADER, QUESTION, QUESTION))


@pytest.mark.parametrize("records", [(), (HEADER,), (QUESTION,)])
def test_a_file_without_a_header_or_questions_is_refused(
    records: tuple[object, ...], tmp_path: Path
) -> None:
    with pytest.raises(DatasetError):
        read_questions(write(tmp_path, *records))


def test_a_file_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_questions(tmp_path / "none.jsonl")
