"""When2Call on disk: this file holds the reader of its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from smallhold.evals.chat_records import (
    MessageRecord,
    ToolRecord,
    messages_of,
    read_rows,
    tools_of,
)
from smallhold.exceptions import ConfigError
from smallhold.messages import Message, ToolSchema

FOLDER: Final = "when2call"
_SUFFIX: Final = ".jsonl"
_TARGET_NAME: Final = re.compile(r'\{\s*"name"\s*:\s*"([^"\\]+)"')


class Behaviour(StrEnum):
    """What a right answer does. Source: Ross et al. 2025, "When2Call: When (not) to Call Tools"."""

    TOOL_CALL = "tool_call"
    REQUEST_FOR_INFO = "request_for_info"
    """Something that the tool needs was not said, so it is asked for."""
    CANNOT_ANSWER = "cannot_answer"
    """No tool that is offered, if any, can do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When2CallRow:
    """One question of the benchmark."""

    id: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    """May be empty; then nothing can be called."""
    label: Behaviour
    target_tool: str | None
    """The tool that the question was written for; `None` where none is offered for it."""


class _RowRecord(BaseModel):
    """A line of the file; keys that are not named here are ignored."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1)
    messages: list[MessageRecord] = Field(min_length=1)
    tools: list[ToolRecord]
    label: Behaviour
    target_tool: str | None = None


def read_when2call(directory: Path) -> tuple[When2CallRow, ...]:
    """Read all rows of `DIRECTORY/when2call/*.jsonl`, or of the files in the folder itself.

    Raises:
        ConfigError: There is no such folder, or no row in it.
        DatasetError: A line is not a row of When2Call, or an id comes twice.
    """
    inner = directory / FOLDER
    folder = inner if inner.is_dir() else directory
    files = sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []
    rows = tuple(row for file in files for row in read_rows(file, parse=parse_row))
    if not rows:
        remedy = f"name a folder with {_SUFFIX} files of When2Call in it or in its {FOLDER}/"
        raise ConfigError(field="data", value=str(directory), remedy=remedy)
    return rows


def parse_row(line: bytes) -> tuple[str, When2CallRow]:
    """Turn one line of JSON (UTF-8) into its id and row.

    Raises:
        ValueError: The line is not JSON or not a row of When2Call; says where and why.
    """
    record = _RowRecord.model_validate_json(line)
    target = record.target_tool
    row = When2CallRow(
        id=record.id,
        messages=messages_of(record.messages),
        tools=tools_of(record.tools),
        label=record.label,
        target_tool=None if target is None else tool_name(target),
    )
    if row.label is Behaviour.TOOL_CALL and not row.tools:
        msg = "label: a row without tools cannot be answered by a call"
        raise ValueError(msg)
    return row.id, row


def tool_name(target: str) -> str:
    """Read the name of a row's target, which the data write as the beginning of the tool's JSON.

    The conversion of dots to `_` has reached the numbers in it, so it is not JSON any more.

    Raises:
        ValueError: It begins like a tool, and has no name.
    """
    if not target.startswith("{"):
        return target
    found = _TARGET_NAME.match(target)
    if found is None:
        msg = "target_tool: it does not begin with a name"
        raise ValueError(msg)
    return found[1]
