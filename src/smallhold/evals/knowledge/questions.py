"""What is asked of a document collection: this file holds the reader of the question set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallhold.exceptions import ConfigError, DatasetError

QUESTIONS_FILE: Final = Path(__file__).with_name("questions.jsonl")
"""The questions that Smallhold ships: a line about the collection, then a question each."""

_Record = TypeVar("_Record", bound=BaseModel)


class Style(StrEnum):
    """How a question is worded."""

    KEYWORDS = "keywords"
    """As typed into a search box."""
    QUESTION = "question"
    """A sentence, most often with words that the document has too."""
    PARAPHRASE = "paraphrase"
    """In the words of somebody who does not know the document's own terms."""


class Half(StrEnum):
    """What a question may be used for."""

    DEVELOPMENT = "development"
    """To choose settings by."""
    HELD_OUT = "held_out"
    """Only to report on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A section that answers a question."""

    page: str
    """Name of the file."""
    section: str
    """Its heading, without a number."""
    phrase: str
    """Words that stand where the answer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and every section that was judged to answer it."""

    text: str
    style: Style
    answers: tuple[Answer, ...]
    """At least one; any of them will do."""

    @property
    def half(self) -> Half:
        """The half that the question's text, and nobody's choice, puts it in."""
        digest = hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).digest()
        return Half.HELD_OUT if digest[-1] % 2 else Half.DEVELOPMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """Questions about one collection of documents."""

    package: str
    """The Debian package that ships the collection."""
    folder: Path
    """Where the package puts it."""
    version: str
    """Version of the package that the answers were written and proved on."""
    questions: tuple[Question, ...]

    def of_half(self, half: Half | None) -> tuple[Question, ...]:
        """Take the questions of a half; of both for `None`."""
        return tuple(one for one in self.questions if half is None or one.half is half)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Header(_Strict):
    package: str = Field(min_length=1)
    folder: Path
    version: str = Field(min_length=1)
    collection_licence: str
    questions_licence: str
    provenance: str


class _Answer(_Strict):
    page: str = Field(pattern=r"^[^/\\]+$")
    section: str = Field(min_length=1)
    phrase: str = Field(pattern=r"\w")


class _Question(_Strict):
    text: str = Field(pattern=r"\w")
    style: Style
    answers: list[_Answer] = Field(min_length=1)


def read_questions(file: Path = QUESTIONS_FILE) -> QuestionSet:
    """Read a question set.

    Raises:
        ConfigError: The file cannot be read.
        DatasetError: A line is malformed, a question is asked twice, or there are none.
    """
    lines = _lines(file)
    number, first = next(lines, (1, b""))
    header = _parsed(first, model=_Header, file=file, line=number)
    found: dict[str, Question] = {}
    for number, line in lines:
        record = _parsed(line, model=_Question, file=file, line=number)
        if record.text in found:
            raise DatasetError(file=str(file), line=number, problem="this question was asked above")
        answers = tuple(
            Answer(page=answer.page, section=answer.section, phrase=answer.phrase)
            for answer in record.answers
        )
        found[record.text] = Question(text=record.text, style=record.style, answers=answers)
    if not found:
        raise DatasetError(file=str(file), line=number, problem="it holds no questions")
    return QuestionSet(
        package=header.package,
        folder=header.folder,
        version=header.version,
        questions=tuple(found.values()),
    )


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        remedy = f"the question set cannot be read ({error.strerror})"
        raise ConfigError(field="questions", value=str(file), remedy=remedy) from error
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield number, line


def _parsed(content: bytes, *, model: type[_Record], file: Path, line: int) -> _Record:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        problem = f"{place}: {first['msg']}" if place else first["msg"]
        raise DatasetError(file=str(file), line=line, problem=problem) from error
