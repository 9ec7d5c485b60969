"""Messages whose right decision is known: this file holds their reading from public data."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from smallhold.agents.filling import asked_text
from smallhold.evals.bfcl import BFCLRow, categories, read_category
from smallhold.evals.when2call import Behaviour, When2CallRow, read_when2call
from smallhold.generation import Prompt
from smallhold.messages import Message, ToolSchema

BFCL_FOLDER: Final = "bfcl"
WHEN2CALL: Final = "when2call"
MOST_ROWS: Final = 220
"""Rows of one category that a share is taken of, so that no category crowds out the others."""
LEAST_ROWS: Final = 8
"""Rows of a category that are taken however small the share is."""
SEED: Final = 7


class Wanted(StrEnum):
    """What a right answer does."""

    CALL = "call"
    ASK = "ask"
    """A tool fits, but something that it needs was not said."""
    NOTHING = "nothing"
    """No tool fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One message with its tools and what is right to do."""

    category: str
    id: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    """At least one."""
    wanted: Wanted
    expected: tuple[str, ...] = ()
    """Tool of each call of a right answer; empty where the data do not say."""

    @property
    def prompt(self) -> Prompt:
        """What a planner is given."""
        return Prompt(messages=self.messages, tools=self.tools)

    @property
    def text(self) -> str:
        """The message that is decided on."""
        return asked_text(self.messages)


def read_samples(data: Path) -> tuple[Sample, ...]:
    """Read all rows of `DATA/bfcl` and `DATA/when2call` that offer tools.

    Raises:
        ConfigError: one of the folders is not there or empty.
        DatasetError: a line is no row.
    """
    found = [
        _of_bfcl(row, category=category)
        for category in categories(data / BFCL_FOLDER)
        for row in read_category(data / BFCL_FOLDER, category=category)
    ]
    found += map(_of_when2call, read_when2call(data / WHEN2CALL))
    return tuple(sample for sample in found if sample.tools)


def drawn(samples: Sequence[Sample], *, share: float) -> tuple[Sample, ...]:
    """Draw a share of each category, always the same one, in random order of toolsets.

    Samples of one toolset follow each other, since a runtime keeps what it computed for the last
    tools. However early a run over them ends, it has seen a random part.

    Args:
        samples: Of any categories.
        share: Part of each category, from 0 to 1.
    """
    chance = random.Random(SEED)  # noqa: S311 - a sample of rows, no secret
    groups: dict[str, list[Sample]] = {}
    for category in sorted({sample.category for sample in samples}):
        rows = [sample for sample in samples if sample.category == category]
        count = max(LEAST_ROWS, int(share * min(len(rows), MOST_ROWS)))
        for sample in chance.sample(rows, min(count, len(rows))):
            groups.setdefault(repr(sample.tools), []).append(sample)
    ordered = list(groups.values())
    chance.shuffle(ordered)
    return tuple(_flat(ordered))


def _flat(groups: Sequence[Sequence[Sample]]) -> Iterator[Sample]:
    for group in groups:
        yield from group


def _of_bfcl(row: BFCLRow, *, category: str) -> Sample:
    return Sample(
        category=category,
        id=row.id,
        messages=row.messages,
        tools=row.tools,
        wanted=Wanted.NOTHING if row.ground_truth == () else Wanted.CALL,
        expected=tuple(call.name for call in row.ground_truth or ()),
    )


def _of_when2call(row: When2CallRow) -> Sample:
    return Sample(
        category=f"{WHEN2CALL}_{row.label}",
        id=row.id,
        messages=row.messages,
        tools=row.tools,
        wanted=_WANTED[row.label],
    )


_WANTED: Final = {
    Behaviour.TOOL_CALL: Wanted.CALL,
    Behaviour.REQUEST_FOR_INFO: Wanted.ASK,
    Behaviour.CANNOT_ANSWER: Wanted.NOTHING,
}
