from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bfcl.dataset import ExpectedCall, categories, parse_row, read_category
from smallhold.exceptions import ConfigError, DatasetError
from smallhold.messages import JsonObject, Message, Role, ToolSchema

PARAMETERS: JsonObject = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["order_id"],
}


def record(**changes: object) -> dict[str, object]:
    function = {"name": "order_status", "description": "Look up.", "parameters": PARAMETERS}
    return {
        "id": "simple_1",
        "messages": [
            {"role": "system", "content": "You sell coffee."},
            {"role": "user", "content": "Where is order 1042?"},
        ],
        "tools": [{"type": "function", "function": function}],
        "ground_truth": [{"order_status": {"order_id": ["1042"], "days": ["", 3]}}],
        **changes,
    }


def write(folder: Path, *lines: str, category: str = "simple") -> None:
    (folder / f"{category}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_row_becomes_messages_tools_and_expected_calls(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(record()))

    (row,) = read_category(tmp_path, category="simple")

    assert row.id == "simple_1"
    assert row.messages == (
        Message(role=Role.SYSTEM, content="You sell coffee."),
        Message(role=Role.USER, content="Where is order 1042?"),
    )
    assert row.tools == (
        ToolSchema(name="order_status", description="Look up.", parameters=PARAMETERS),
    )
    assert row.ground_truth == (
        ExpectedCall(name="order_status", accepted={"order_id": ("1042",), "days": ("", 3)}),
    )


def test_an_empty_ground_truth_differs_from_none(tmp_path: Path) -> None:
    write(
        tmp_path,
        json.dumps(record(id="a", ground_truth=[])),
        json.dumps(record(id="b", ground_truth=None)),
    )

    irrelevant, relevant = read_category(tmp_path, category="simple")

    assert irrelevant.ground_truth == ()
    assert relevant.ground_truth is None


def test_values_of_labels_keep_their_json_type() -> None:
    label: dict[str, object] = {"order_status": {"order_id": [1, 1.0, True, "1", [1], None]}}

    row = parse_row(json.dumps(record(ground_truth=[label])).encode())

    assert row.ground_truth is not None
    kinds = [type(value) for value in row.ground_truth[0].accepted["order_id"]]
    assert kinds == [int, float, bool, str, list, type(None)]


def test_rows_keep_the_order_of_the_file_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(record(id="z")), "", "  ", json.dumps(record(id="a")))

    rows = read_category(tmp_path, category="simple")

    assert [row.id for row in rows] == ["z", "a"]


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0c"])
def test_text_may_hold_characters_that_python_takes_for_line_ends(
    tmp_path: Path, separator: str
) -> None:
    text = f"first{separator}second"
    line = json.dumps(record(messages=[{"role": "user", "content": text}]), ensure_ascii=False)
    # JSON wants control characters below U+0020 escaped; the others may stand as they are.
    write(tmp_path, line if separator > " " else json.dumps(json.loads(line)))

    (row,) = read_category(tmp_path, category="simple")

    assert row.messages[0].content == text


def test_the_categories_are_the_names_of_the_files(tmp_path: Path) -> None:
    write(tmp_path, category="simple")
    write(tmp_path, category="live_multiple")
    (tmp_path / "notes.txt").write_text("not a category", encoding="utf-8")

    assert categories(tmp_path) == ("live_multiple", "simple")


@pytest.mark.parametrize("category", ["parallel", "../secret/simple", "simple.jsonl", ""])
def test_a_category_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, category: str
) -> None:
    write(tmp_path, json.dumps(record()))
    write(tmp_path, json.dumps(record()), category="multiple")

    with pytest.raises(ConfigError, match="multiple, simple"):
        read_category(tmp_path, category=category)


def test_a_folder_without_categories_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \.jsonl file there"):
        read_category(tmp_path, category="simple")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such directory"):
        read_category(tmp_path / "nowhere", category="simple")


def test_a_category_without_rows_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "")

    with pytest.raises(ConfigError, match="holds no rows"):
        read_category(tmp_path, category="simple")


NO_CALL: JsonObject = {}
TWO_CALLS: JsonObject = {"a": {}, "b": {}}
SAME_TOOL = {"function": {"name": "order_status", "parameters": PARAMETERS}}
ODD_TYPE: JsonObject = {
    "function": {
        "name": "order_status",
        "parameters": {"properties": {"order_id": {"type": "tuple"}}},
    }
}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{not json", "Invalid JSON"),
        ("[]", "object"),
        (json.dumps({"id": "x"}), "messages"),
        (json.dumps(record(id=7)), "id"),
        (json.dumps(record(messages=[])), "messages"),
        (json.dumps(record(messages=[{"role": "robot", "content": ""}])), r"messages\.0\.role"),
        (json.dumps(record(tools=[SAME_TOOL, SAME_TOOL])), "order_status is there more than once"),
        (json.dumps(record(tools=[])), "order_status is not among the tools"),
        (json.dumps(record(ground_truth=[NO_CALL])), "one name, not 0"),
        (json.dumps(record(ground_truth=[TWO_CALLS])), "one name, not 2"),
        (json.dumps(record(ground_truth=[{"order_status": {"days": 3}}])), "ground_truth"),
        (json.dumps(record(tools=[ODD_TYPE])), r"tools\.order_status\.order_id"),
    ],
)
def test_a_malformed_line_is_reported_with_its_file_number_and_problem(
    tmp_path: Path, line: str, problem: str
) -> None:
    write(tmp_path, json.dumps(record(id="first")), "", line)

    with pytest.raises(DatasetError, match=problem) as caught:
        read_category(tmp_path, category="simple")

    assert caught.value.line == 3
    assert caught.value.file == str(tmp_path / "simple.jsonl")
    assert "line 3" in str(caught.value)


def test_a_line_that_is_not_utf_8_is_reported_with_its_number(tmp_path: Path) -> None:
    good = json.dumps(record()).encode()
    (tmp_path / "simple.jsonl").write_bytes(good + b'\n{"id": "\xff\xfe"}\n')

    with pytest.raises(DatasetError, match="line 2"):
        read_category(tmp_path, category="simple")


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(record(id="same")), json.dumps(record(id="same")))

    with pytest.raises(DatasetError, match="the id same was there before"):
        read_category(tmp_path, category="simple")


def test_the_error_does_not_repeat_the_text_of_the_row() -> None:
    line = json.dumps(record(messages=[{"role": "user", "content": ["my password is x"]}]))

    with pytest.raises(ValueError, match="content") as caught:
        parse_row(line.encode())

    assert "password" not in str(caught.value)


def test_a_parameter_that_no_label_uses_may_have_any_type() -> None:
    parameters: JsonObject = {"properties": {"a": {"type": "string"}, "b": {"type": "tuple"}}}
    tool: dict[str, object] = {"function": {"name": "f", "parameters": parameters}}

    row = parse_row(json.dumps(record(tools=[tool], ground_truth=[{"f": {"a": ["x"]}}])).encode())

    assert row.tools[0].parameters == parameters


@given(st.binary() | st.text().map(str.encode))
def test_bytes_that_are_no_row_raise_nothing_but_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_row(line)


def test_every_development_file_can_be_read(eval_data: Path) -> None:
    folder = eval_data / "bfcl"
    present = categories(folder)

    assert {"simple", "multiple", "irrelevance"} <= set(present)
    for category in present:
        lines = (folder / f"{category}.jsonl").read_bytes().splitlines()
        assert len(read_category(folder, category=category)) == len(lines)
