"""Promises of `smallhold.models.store.file_stamp`:
this file holds tests of noticing changed files.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallhold.models.store.file_stamp import FileStamp


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    return path


def stamp_of(path: Path) -> FileStamp:
    stamp = FileStamp.of(path)
    assert stamp is not None
    return stamp


def test_an_untouched_file_is_the_same(file: Path) -> None:
    assert stamp_of(file).difference(file) is None


def test_another_size_is_a_difference(file: Path) -> None:
    stamp = stamp_of(file)
    file.write_bytes(b"abcd")
    assert stamp.difference(file) == "has 4 bytes instead of 3"


def test_a_write_of_the_same_size_is_a_difference(file: Path) -> None:
    stamp = stamp_of(file)
    os.utime(file, ns=(0, stamp.mtime_ns + 1))
    assert "was written or replaced" in str(stamp.difference(file))


def test_another_file_of_the_same_size_and_time_is_a_difference(file: Path) -> None:
    stamp = stamp_of(file)
    other = file.with_name("other")
    other.write_bytes(b"xyz")
    os.utime(other, ns=(0, stamp.mtime_ns))
    other.replace(file)
    assert stamp.difference(file) is not None


def test_a_vanished_file_a_folder_and_a_link_are_differences(file: Path) -> None:
    stamp = stamp_of(file)
    target = file.rename(file.with_name("moved"))
    assert "cannot be found" in str(stamp.difference(file))
    file.symlink_to(target)
    assert stamp.difference(file) == "is not a file any more"
    file.unlink()
    file.mkdir()
    assert stamp.difference(file) == "is not a file any more"


def test_what_is_no_file_has_no_stamp(tmp_path: Path) -> None:
    assert FileStamp.of(tmp_path) is None
    assert FileStamp.of(tmp_path / "none") is None
