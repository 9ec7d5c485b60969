"""Seal-Tools and MetaTool on disk: this file holds the reader of their tools and messages."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from smallhold.exceptions import ConfigError, DatasetError
from smallhold.messages import ToolSchema
from smallhold.tools.retrieval import DescribedTool

EXAMPLES: Final = 5
"""Example messages of each tool of MetaTool, taken out of the rows."""

_NO_PARAMETERS: Final[dict[str, JsonValue]] = {"type": "object", "properties": {}}
_Record = TypeVar("_Record", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalRow:
    """A message and the tools that it needs."""

    text: str
    tools: frozenset[str]
    """Names, at least one, all of the set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalSet:
    """Tools, and messages for them."""

    name: str
    tools: tuple[DescribedTool, ...]
    rows: tuple[RetrievalRow, ...]
    """In an order that has nothing to do with their content, so that any beginning is a sample."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _SealFunction(_Strict):
    name: str = Field(min_length=1)
    description: str
    parameters: dict[str, JsonValue]


class _SealTool(_Strict):
    function: _SealFunction


class _SealMessage(_Strict):
    role: str
    content: str


class _SealCall(_Strict):
    name: str


class _SealRow(_Strict):
    messages: list[_SealMessage] = Field(min_length=1)
    calls: list[_SealCall] = Field(min_length=1)


class _MetaRow(_Strict):
    query: str = Field(min_length=1)
    tool: str = Field(min_length=1)


def read_set(directory: Path, *, name: str, examples: int = EXAMPLES) -> RetrievalSet:
    """Read a set from `DIRECTORY/<name>/`, or from the directory itself if it holds the files.

    Args:
        directory: Folder of the converted data.
        name: One of `SETS`.
        examples: How many messages of each tool of MetaTool become its examples; they and all rows
            with the same text are left out of the rows. Seal-Tools has none to spare.

    Raises:
        ConfigError: There is no such set, or no file of it, or a bad number of examples.
        DatasetError: A line is malformed, or names a tool that there is not.
    """
    reader = SETS.get(name)
    if reader is None:
        raise ConfigError(field="set", value=name, remedy=f"choose one of {', '.join(SETS)}")
    if examples < 0:
        raise ConfigError(field="examples", value=examples, remedy="give 0 or more")
    inside = directory / name
    found = reader(inside if inside.is_dir() else directory, examples)
    if not found.rows:
        raise ConfigError(field="data", value=str(directory), remedy="it holds no rows")
    return found


def _seal_tools(directory: Path, examples: int) -> RetrievalSet:
    del examples
    functions = [
        record.function for _, record in _records(directory / "tools.jsonl", model=_SealTool)
    ]
    tools = {
        function.name: DescribedTool(
            schema=ToolSchema(
                name=function.name,
                description=function.description,
                parameters=function.parameters,
            )
        )
        for function in functions
    }
    rows: list[RetrievalRow] = []
    for file in sorted(directory.glob("test_*.jsonl")):
        for line, record in _records(file, model=_SealRow):
            needed = frozenset(call.name for call in record.calls)
            if unknown := needed - tools.keys():
                problem = f"there is no tool {min(unknown)!r}"
                raise DatasetError(file=str(file), line=line, problem=problem)
            text = "\n".join(message.content for message in record.messages)
            rows.append(RetrievalRow(text=text, tools=needed))
    return RetrievalSet(name="seal_tools", tools=tuple(tools.values()), rows=_shuffled(rows))


def _metatool(directory: Path, examples: int) -> RetrievalSet:
    records = [record for _, record in _records(directory / "queries.jsonl", model=_MetaRow)]
    descriptions = _descriptions(directory / "big_tool_des.json")
    by_tool: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for record in records:
        by_tool[record.tool][record.query] = None
    chosen = {
        tool: tuple(sorted(queries, key=_lot)[: min(examples, len(queries) - 1)])
        for tool, queries in sorted(by_tool.items())
    }
    taken = {_plain(query) for queries in chosen.values() for query in queries}
    rows = [
        RetrievalRow(text=record.query, tools=frozenset({record.tool}))
        for record in records
        if _plain(record.query) not in taken
    ]
    tools = tuple(
        DescribedTool(
            schema=ToolSchema(
                name=tool, description=descriptions.get(tool, ""), parameters=_NO_PARAMETERS
            ),
            examples=queries,
        )
        for tool, queries in chosen.items()
    )
    return RetrievalSet(name="metatool", tools=tools, rows=_shuffled(rows))


SETS: Final[Mapping[str, Callable[[Path, int], RetrievalSet]]] = {
    "seal_tools": _seal_tools,
    "metatool": _metatool,
}
"""Readers of the sets by name: the set's folder and the number of examples to a set."""


def _descriptions(file: Path) -> dict[str, str]:
    try:
        return TypeAdapter(dict[str, str]).validate_json(_bytes_of(file))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise DatasetError(file=str(file), line=1, problem=problem) from error


def _records(file: Path, *, model: type[_Record]) -> Iterator[tuple[int, _Record]]:
    # Split as bytes: the text of a row may hold U+2028, which str.splitlines takes for a line end.
    for number, line in enumerate(_bytes_of(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield number, model.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            problem = f"{place}: {first['msg']}"
            raise DatasetError(file=str(file), line=number, problem=problem) from error


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        remedy = f"{file.name} cannot be read there ({error.strerror})"
        raise ConfigError(field="data", value=str(file.parent), remedy=remedy) from error


def _shuffled(rows: Sequence[RetrievalRow]) -> tuple[RetrievalRow, ...]:
    return tuple(sorted(rows, key=lambda row: _lot(row.text)))


def _lot(text: str) -> bytes:
    """A place in an order that is the same everywhere and that nobody chose."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
