"""Promises of `smallhold.evals.tool_retrieval.dataset`: this file holds tests of reading sets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from smallhold.evals.tool_retrieval import read_set
from smallhold.exceptions import ConfigError, DatasetError

if TYPE_CHECKING:
    from pathlib import Path


def write_lines(file: Path, rows: list[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")


def seal_row(text: str, *names: str) -> dict[str, Any]:
    return {
        "id": "x",
        "messages": [{"role": "user", "content": text}],
        "calls": [{"name": name, "arguments": {}} for name in names],
    }


def seal_folder(folder: Path, *rows: dict[str, Any]) -> Path:
    tools: list[Any] = [
        {"type": "function", "function": {"name": name, "description": "d", "parameters": {}}}
        for name in ("a", "b")
    ]
    write_lines(folder / "seal_tools" / "tools.jsonl", tools)
    write_lines(folder / "seal_tools" / "test_in_domain.jsonl", list(rows))
    return folder


def meta_folder(folder: Path, *, queries: int = 8) -> Path:
    rows = [
        {"query": f"{tool} query {number}", "tool": tool}
        for tool in ("Late", "Early")
        for number in range(queries)
    ]
    write_lines(folder / "metatool" / "queries.jsonl", [*rows, rows[0]])
    (folder / "metatool" / "big_tool_des.json").write_text('{"Early": "Comes soon."}')
    return folder


def test_a_row_of_seal_tools_needs_each_tool_once(tmp_path: Path) -> None:
    folder = seal_folder(tmp_path, seal_row("do a and b", "a", "b", "a"))
    found = read_set(folder, name="seal_tools")
    assert [tool.schema.name for tool in found.tools] == ["a", "b"]
    (row,) = found.rows
    assert row.text == "do a and b"
    assert row.tools == {"a", "b"}


def test_the_folder_of_the_set_itself_is_taken_as_well(tmp_path: Path) -> None:
    folder = seal_folder(tmp_path, seal_row("do a", "a"))
    assert read_set(folder / "seal_tools", name="seal_tools") == read_set(folder, name="seal_tools")


def test_a_tool_that_there_is_not_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = seal_folder(tmp_path, seal_row("do a", "a"), seal_row("do c", "c"))
    with pytest.raises(DatasetError, match="no tool 'c'") as caught:
        read_set(folder, name="seal_tools")
    assert caught.value.line == 2


def test_examples_of_metatool_are_not_asked(tmp_path: Path) -> None:
    found = read_set(meta_folder(tmp_path), name="metatool")
    early, late = found.tools
    assert (early.schema.name, early.schema.description) == ("Early", "Comes soon.")
    assert (late.schema.name, late.schema.description) == ("Late", "")
    assert [len(tool.examples) for tool in found.tools] == [5, 5]
    asked = {row.text for row in found.rows}
    assert asked.isdisjoint({*early.examples, *late.examples})
    assert len(asked) == 6


def test_the_same_examples_are_chosen_every_time(tmp_path: Path) -> None:
    folder = meta_folder(tmp_path)
    assert read_set(folder, name="metatool") == read_set(folder, name="metatool")


def test_a_tool_with_few_messages_keeps_one_to_be_asked(tmp_path: Path) -> None:
    found = read_set(meta_folder(tmp_path, queries=2), name="metatool")
    assert [len(tool.examples) for tool in found.tools] == [1, 1]
    assert {row.tools for row in found.rows} == {frozenset({"Late"}), frozenset({"Early"})}


def test_fewer_examples_are_the_first_of_more(tmp_path: Path) -> None:
    folder = meta_folder(tmp_path)
    few = read_set(folder, name="metatool", examples=2).tools
    many = read_set(folder, name="metatool", examples=4).tools
    for some, more in zip(few, many, strict=True):
        assert some.examples == more.examples[:2]


@pytest.mark.parametrize(
    ("name", "examples", "field"),
    [("gorilla", 5, "set"), ("metatool", -1, "examples"), ("metatool", 5, "data")],
)
def test_what_is_not_there_is_a_usage_error(
    name: str, examples: int, field: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_set(tmp_path, name=name, examples=examples)
    assert caught.value.field == field


@pytest.mark.parametrize("line", ['{"query": 1, "tool": "a"}', "[", '{"tool": "a"}', "\xff"])
def test_a_malformed_line_is_refused_with_its_number(line: str, tmp_path: Path) -> None:
    folder = meta_folder(tmp_path)
    file = folder / "metatool" / "queries.jsonl"
    file.write_bytes(file.read_bytes() + b"\n\n" + line.encode("latin-1"))
    with pytest.raises(DatasetError) as caught:
        read_set(folder, name="metatool")
    assert caught.value.line == 19


def test_malformed_descriptions_are_refused(tmp_path: Path) -> None:
    folder = meta_folder(tmp_path)
    (folder / "metatool" / "big_tool_des.json").write_text('{"a": 1}')
    with pytest.raises(DatasetError, match="big_tool_des"):
        read_set(folder, name="metatool")


@pytest.mark.parametrize(("name", "tools"), [("seal_tools", 4076), ("metatool", 199)])
def test_the_real_sets_are_read_whole(name: str, tools: int, eval_data: Path) -> None:
    found = read_set(eval_data, name=name)
    assert len(found.tools) == tools
    assert len(found.rows) > 300
