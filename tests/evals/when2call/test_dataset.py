"""Behaviour of the reader of When2Call."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.evals.when2call.rows import CANNOT, row_record, write_rows

from smallhold.evals.when2call import Behaviour, read_when2call
from smallhold.exceptions import ConfigError, DatasetError


def test_rows_are_read_from_the_folder_or_from_the_one_around_it(tmp_path: Path) -> None:
    write_rows(tmp_path / "when2call" / "b.jsonl", row_record("2", label="cannot_answer"))
    write_rows(tmp_path / "when2call" / "a.jsonl", row_record("1"))
    rows = read_when2call(tmp_path)
    assert [(row.id, row.label.value) for row in rows] == [
        ("1", "tool_call"),
        ("2", "cannot_answer"),
    ]
    assert read_when2call(tmp_path / "when2call") == rows


def test_a_row_keeps_what_is_asked_and_what_is_offered(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", row_record("1"))
    (row,) = read_when2call(tmp_path)
    assert row.messages[0].content == "How is the weather in Oslo?"
    assert [tool.name for tool in row.tools] == ["weather"]
    assert row.target_tool == "weather"


@pytest.mark.parametrize("target", ["weather", '{"name": "weather", "least": 3_0}'])
def test_the_tool_that_is_meant_is_known_by_its_name(tmp_path: Path, target: str) -> None:
    write_rows(tmp_path / "a.jsonl", row_record("1") | {"target_tool": target})
    (row,) = read_when2call(tmp_path)
    assert row.target_tool == "weather"


def test_a_target_that_breaks_off_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", row_record("1") | {"target_tool": '{"name": "wea'})
    with pytest.raises(DatasetError, match="does not begin with a name"):
        read_when2call(tmp_path)


def test_a_row_may_offer_nothing(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", row_record("1", label="cannot_answer", tools=0))
    (row,) = read_when2call(tmp_path)
    assert (row.tools, row.label) == ((), CANNOT)


@pytest.mark.parametrize(
    ("label", "tools", "problem"),
    [("direct", 1, "label"), ("tool_call", 0, "without tools"), ("tool_call", 2, "more than once")],
)
def test_a_row_that_makes_no_sense_is_refused(
    tmp_path: Path, label: str, tools: int, problem: str
) -> None:
    write_rows(tmp_path / "a.jsonl", row_record("1", label=label, tools=tools))
    with pytest.raises(DatasetError, match=problem) as caught:
        read_when2call(tmp_path)
    assert caught.value.line == 1


def test_a_folder_without_rows_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match="name a folder"):
            read_when2call(folder)


def test_the_development_half_can_be_read(eval_data: Path) -> None:
    rows = read_when2call(eval_data)
    assert {row.label for row in rows} == set(Behaviour)
    assert all(
        row.target_tool in {tool.name for tool in row.tools}
        for row in rows
        if row.label is Behaviour.TOOL_CALL
    )
