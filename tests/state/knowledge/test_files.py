from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.state.knowledge.conftest import write
from tests.state.knowledge.small_files import sparse_file

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge import ParsingLimits
from smallhold.state.knowledge.files import path_of, read_file, readable_files, source_of

LIMITS = ParsingLimits()


def test_a_file_of_two_gigabytes_is_refused_unread_by_the_name_of_the_limit(tmp_path: Path) -> None:
    path = sparse_file(tmp_path / "log.txt", size_bytes=2 << 30)
    with pytest.raises(DocumentTooLargeError) as caught:
        read_file(path, limits=LIMITS)
    assert "2,147,483,648 bytes" in str(caught.value)
    assert "67,108,864 bytes" in str(caught.value)
    assert "raise `file_max_bytes`" in str(caught.value)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(DocumentError, match="no regular file"):
        read_file(tmp_path / "a.txt", limits=LIMITS)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        read_file(tmp_path / "a.txt", limits=LIMITS)


def test_hidden_files_links_and_other_formats_are_left_out_of_a_folder(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.txt", "x")
    folder = tmp_path / "folder"
    (folder / ".git").mkdir(parents=True)
    (folder / "b").mkdir()
    for name in ("z.txt", "a.md", "b/c.html", ".hidden.txt", ".git/d.txt", "e.jpg"):
        write(folder / name, "x")
    (folder / "link.txt").symlink_to(outside)
    (folder / "away").symlink_to(tmp_path)
    found = [str(path.relative_to(folder)) for path in readable_files(folder)]
    assert found == ["a.md", "z.txt", "b/c.html"]


def test_a_source_is_an_absolute_path_however_it_was_written(tmp_path: Path) -> None:
    assert source_of(tmp_path / "x" / ".." / "a.txt") == str(tmp_path / "a.txt")
    assert path_of("~/a.txt") == Path.home() / "a.txt"
