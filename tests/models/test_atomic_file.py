"""Promises of `smallhold.models.atomic_file`:
this file holds tests of replacing small files.
"""

from __future__ import annotations

from pathlib import Path

from smallhold.models.atomic_file import replace_file


def test_a_replaced_file_has_the_new_bytes_and_no_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "notes.json"
    for data in (b"one", b"two"):
        replace_file(path, data)
        assert path.read_bytes() == data
    assert [file.name for file in path.parent.iterdir()] == ["notes.json"]


def test_whoever_has_the_old_file_open_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    replace_file(path, b"one")
    with path.open("rb") as file:
        replace_file(path, b"two")
        assert file.read() == b"one"
