"""Behaviour of the reading of evaluation rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from smallhold.evals.chat_records import (
    MessageRecord,
    ToolRecord,
    messages_of,
    read_rows,
    tools_of,
)
from smallhold.exceptions import DatasetError
from smallhold.messages import Message, Role


def parse(line: bytes) -> tuple[str, str]:
    record = TypeAdapter(dict[str, str]).validate_json(line)
    return record["id"], record["text"]


def lines(path: Path, *rows: object) -> Path:
    path.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def tool(name: str) -> ToolRecord:
    return ToolRecord.model_validate({"function": {"name": name, "parameters": {}}})


def test_rows_are_read_in_order_and_blank_lines_skipped(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"id": "2", "text": "b\u2028c"}, {"id": "1", "text": "a"})
    assert read_rows(file, parse=parse) == ("b\u2028c", "a")


def test_a_line_that_is_no_row_is_named_by_its_number(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"id": "2", "text": "b"}, {"id": "1", "text": 3})
    with pytest.raises(DatasetError, match="text: Input should be a valid string") as caught:
        read_rows(file, parse=parse)
    assert caught.value.line == 3


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"id": "2", "text": "b"}, {"id": "2", "text": "c"})
    with pytest.raises(DatasetError, match="the id 2 was there before"):
        read_rows(file, parse=parse)


def test_records_become_the_values_of_a_prompt() -> None:
    record = MessageRecord.model_validate_json('{"role": "user", "content": "Hello"}')
    assert messages_of([record]) == (Message(role=Role.USER, content="Hello"),)
    assert [one.name for one in tools_of([tool("a"), tool("b")])] == ["a", "b"]


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="a is there more than once"):
        tools_of([tool("a"), tool("b"), tool("a")])
