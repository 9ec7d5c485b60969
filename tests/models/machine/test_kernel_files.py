"""Promises of `smallhold.models.machine.kernel_files`:
this file holds tests of reading without failing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.machine.kernel_files import (
    kernel_folders,
    kernel_number,
    kernel_text,
    kernel_word,
    parse_assignments,
    parse_number,
)


def test_what_is_not_there_reads_as_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert kernel_text(missing) == kernel_word(missing) == ""
    assert kernel_number(missing) is None
    assert kernel_folders(missing, pattern="*") == ()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert kernel_text(tmp_path) == ""


def test_a_path_that_no_system_takes_reads_as_nothing() -> None:
    assert kernel_text(Path("a\0b")) == ""


def test_bytes_that_are_no_text_are_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "name"
    file.write_bytes(b"Board\xff 5\0\n")
    assert kernel_word(file) == "Board\ufffd 5"


def test_an_endless_file_is_read_to_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_bytes(b"x" * (3 << 20))
    assert len(kernel_text(file)) == 1 << 20


def test_folders_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("cpu1", "cpu0", "other"):
        (tmp_path / name).mkdir()
    found = kernel_folders(tmp_path, pattern="cpu[0-9]*")
    assert [folder.name for folder in found] == ["cpu0", "cpu1"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("42\n", 42), ("-1\n", -1), ("0x10", None), ("", None), ("1 2", None), ("9" * 20, None)],
)
def test_a_number_is_a_whole_one_or_none(text: str, number: int | None) -> None:
    assert parse_number(text) == number


@given(st.integers(-(2**62), 2**62))
def test_a_number_is_read_as_it_was_written(number: int) -> None:
    assert parse_number(f"{number}\n") == number


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_number(text)
    assert all("=" not in name for name in parse_assignments(text))


def test_assignments_are_read_line_by_line() -> None:
    assert parse_assignments("DRIVER=amdgpu\nnonsense\nPCI_ID=1002:744C\n") == {
        "DRIVER": "amdgpu",
        "PCI_ID": "1002:744C",
    }
