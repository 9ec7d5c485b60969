"""Evaluation rows on disk: this file holds the reading of JSON Lines of messages and tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from smallhold.exceptions import DatasetError
from smallhold.messages import Message, Role, ToolSchema

Row = TypeVar("Row")


class MessageRecord(BaseModel):
    """A message as a row holds it."""

    model_config = ConfigDict(strict=True, frozen=True)

    role: Role
    content: str


class FunctionRecord(BaseModel):
    """What a row says of a tool."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: str = Field(min_length=1)
    description: str = ""
    parameters: dict[str, JsonValue]


class ToolRecord(BaseModel):
    """A tool as a row holds it."""

    model_config = ConfigDict(strict=True, frozen=True)

    function: FunctionRecord


def messages_of(records: Sequence[MessageRecord]) -> tuple[Message, ...]:
    """Turn a row's messages into those of a prompt."""
    return tuple(Message(role=record.role, content=record.content) for record in records)


def tools_of(records: Sequence[ToolRecord]) -> tuple[ToolSchema, ...]:
    """Turn a row's tools into those of a prompt.

    Raises:
        ValueError: Two tools have the same name.
    """
    names = Counter(record.function.name for record in records)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        msg = f"tools: {', '.join(twice)} is there more than once"
        raise ValueError(msg)
    return tuple(
        ToolSchema(
            name=record.function.name,
            description=record.function.description,
            parameters=record.function.parameters,
        )
        for record in records
    )


def read_rows(path: Path, *, parse: Callable[[bytes], tuple[str, Row]]) -> tuple[Row, ...]:
    """Read the rows of a file of JSON Lines, UTF-8. Otherwise as `rows_of`."""
    # Split as bytes: the text of a row may hold U+2028, which str.splitlines takes for a line end.
    return rows_of(path.read_bytes().splitlines(), file=str(path), parse=parse)


def rows_of(
    lines: Sequence[bytes], *, file: str, parse: Callable[[bytes], tuple[str, Row]]
) -> tuple[Row, ...]:
    """Turn lines into rows, in their order; blank lines are skipped.

    Args:
        lines: JSON, one row each.
        file: Their file's name, for errors only.
        parse: Turns a line into a row and its id; raises `ValueError` where it cannot.

    Raises:
        DatasetError: A line is no row, or repeats an earlier row's id.
    """
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row_id, row = parse(line)
        except ValueError as error:
            raise DatasetError(file=file, line=number, problem=first_problem(error)) from error
        if row_id in rows:
            problem = f"the id {row_id} was there before"
            raise DatasetError(file=file, line=number, problem=problem)
        rows[row_id] = row
    return tuple(rows.values())


def first_problem(error: ValueError) -> str:
    """The first problem of a row, without the row's own text, which may be long."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
