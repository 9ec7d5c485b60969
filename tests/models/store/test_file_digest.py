"""Promises of `smallhold.models.store.file_digest`:
this file holds tests of hashing whole files.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from smallhold.models.store.file_digest import hash_file, open_file

CONTENT = b"weights" * 1_000_000


def test_a_file_is_hashed_to_its_last_byte_and_says_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    steps: list[tuple[int, int]] = []
    hashed = hash_file(path, report=lambda done, total: steps.append((done, total)))
    assert hashed.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert hashed.stamp.difference(path) is None
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert steps == sorted(steps)


def test_an_empty_file_has_a_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert hash_file(path).sha256 == hashlib.sha256(b"").hexdigest()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with pytest.raises(OSError, match="changed while it was read"):
        hash_file(path, report=lambda _done, _total: os.utime(path, ns=(0, 0)))


def test_whoever_is_told_the_progress_can_end_the_work(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)

    def stop(done_bytes: int, total_bytes: int) -> None:
        raise InterruptedError(done_bytes, total_bytes)

    with pytest.raises(InterruptedError):
        hash_file(path, report=stop)


def test_links_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    for name in ("pipe", "link", "."):
        with pytest.raises(OSError):  # noqa: PT011 - each has a number of its own
            open_file(tmp_path / name)
