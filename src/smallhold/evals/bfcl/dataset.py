"""BFCL on disk, one JSON Lines file for each category: this file holds the reader of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from smallhold.evals.bfcl.values import declared_type
from smallhold.evals.chat_records import (
    MessageRecord,
    ToolRecord,
    first_problem,
    messages_of,
    read_rows,
    rows_of,
    tools_of,
)
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, Message, ToolSchema

SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCall:
    """One call that a right answer holds."""

    name: str
    accepted: Mapping[str, tuple[JsonValue, ...]]
    """For each argument the values that count as right; `""` among them: may be left out."""


GroundTruth: TypeAlias = tuple[ExpectedCall, ...] | None
"""The calls of a right answer; `()`: no call may be made; `None`: at least one, whichever it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BFCLRow:
    """One question of the board."""

    id: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    ground_truth: GroundTruth
    """Names only tools that are in `tools`."""


class _RowRecord(BaseModel):
    """A line of the file; keys that are not named here are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)

    id: str = Field(min_length=1)
    messages: list[MessageRecord] = Field(min_length=1)
    tools: list[ToolRecord]
    ground_truth: list[dict[str, dict[str, list[JsonValue]]]] | None


def properties_of(parameters: JsonObject) -> dict[str, JsonObject]:
    """The schemas of a tool's parameters by name; entries that are not objects are left out."""
    properties = parameters.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: schema for name, schema in properties.items() if isinstance(schema, dict)}


def categories(directory: Path) -> tuple[str, ...]:
    """Names of the categories that `directory` holds, in alphabetical order.

    Raises:
        ConfigError: There is no such directory.
    """
    if not directory.is_dir():
        raise ConfigError(
            field="data",
            value=str(directory),
            remedy=f"there is no such directory; name one with <category>{SUFFIX} files in it",
        )
    return tuple(sorted(path.stem for path in directory.iterdir() if path.suffix == SUFFIX))


def read_category(directory: Path, *, category: str) -> tuple[BFCLRow, ...]:
    """Read all rows of `DIRECTORY/<category>.jsonl`, in the file's order; blank lines are skipped.

    Raises:
        ConfigError: There is no such directory, category or row.
        DatasetError: A line is not a row of BFCL.
    """
    present = categories(directory)
    if category not in present:
        listing = f"choose one of {', '.join(present)}" if present else f"no {SUFFIX} file there"
        raise ConfigError(field="category", value=category, remedy=f"{listing} ({directory})")
    path = directory / f"{category}{SUFFIX}"
    rows = read_rows(path, parse=_row_by_id)
    if not rows:
        raise ConfigError(field="category", value=category, remedy=f"{path} holds no rows")
    return rows


def parse_rows(lines: Sequence[bytes], *, file: str) -> tuple[BFCLRow, ...]:
    """Turn the lines of `file` (named in errors only) into rows.

    Raises:
        DatasetError: A line is not a row of BFCL, or repeats an earlier row's id.
    """
    return rows_of(lines, file=file, parse=_row_by_id)


def _row_by_id(line: bytes) -> tuple[str, BFCLRow]:
    row = parse_row(line)
    return row.id, row


def parse_row(line: bytes) -> BFCLRow:
    """Turn one line of JSON (UTF-8) into a row.

    Raises:
        ValueError: The line is not JSON or not a row of BFCL; says where and why.
    """
    try:
        record = _RowRecord.model_validate_json(line)
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error
    tools = tools_of(record.tools)
    problem = _labels_problem(record)
    if problem is not None:
        raise ValueError(problem)
    return BFCLRow(
        id=record.id,
        messages=messages_of(record.messages),
        tools=tools,
        ground_truth=_ground_truth(record),
    )


def _labels_problem(record: _RowRecord) -> str | None:
    offered = {tool.function.name: tool.function.parameters for tool in record.tools}
    for label in record.ground_truth or ():
        if len(label) != 1:
            return f"ground_truth: a call has one name, not {len(label)}"
        ((name, accepted),) = label.items()
        if name not in offered:
            return f"ground_truth: {name} is not among the tools"
        for parameter, schema in properties_of(offered[name]).items():
            if parameter in accepted and not _is_scorable(schema):
                return f"tools.{name}.{parameter}: the type is not one that can be scored"
    return None


def _is_scorable(schema: JsonObject) -> bool:
    try:
        declared_type(schema)
    except ValueError:
        return False
    return True


def _ground_truth(record: _RowRecord) -> GroundTruth:
    if record.ground_truth is None:
        return None
    return tuple(
        ExpectedCall(name=name, accepted={key: tuple(values) for key, values in accepted.items()})
        for label in record.ground_truth
        for name, accepted in label.items()
    )
