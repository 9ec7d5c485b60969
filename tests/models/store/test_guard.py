"""Promises of `smallhold.models.store.guard`: this file holds tests of locks and full disks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from smallhold.exceptions import StoreBusyError, StoreFullError, StoreNotWritableError
from smallhold.models.store.guard import ROOM_RESERVE_BYTES, StoreGuard, disk_free_bytes
from smallhold.models.store.layout import StoreLayout


@pytest.fixture
def guard(tmp_path: Path) -> StoreGuard:
    return StoreGuard(StoreLayout(root=tmp_path / "models"))


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    guard = StoreGuard(StoreLayout(root=tmp_path), free_bytes=lambda _: 100)
    with pytest.raises(StoreFullError) as caught:
        guard.require_room(200)
    assert caught.value.free_bytes == 100
    assert caught.value.needed_bytes == 200 + ROOM_RESERVE_BYTES
    assert list(tmp_path.iterdir()) == []


def test_nothing_more_to_write_needs_no_room(tmp_path: Path) -> None:
    StoreGuard(StoreLayout(root=tmp_path), free_bytes=lambda _: 0).require_room(0)


def test_the_free_bytes_of_a_folder_to_come_are_those_of_its_disk(tmp_path: Path) -> None:
    assert disk_free_bytes(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_fills_up_while_writing_is_a_full_store(guard: StoreGuard, number: int) -> None:
    with pytest.raises(StoreFullError), guard.translated_errors(needed_bytes=1):
        raise OSError(number, os.strerror(number))


def test_a_quota_is_not_mistaken_for_free_space(guard: StoreGuard) -> None:
    with pytest.raises(StoreFullError) as caught, guard.translated_errors(needed_bytes=1):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    assert caught.value.free_bytes == 0


def test_a_read_only_disk_is_a_store_that_cannot_be_written(guard: StoreGuard) -> None:
    with pytest.raises(StoreNotWritableError), guard.translated_errors(needed_bytes=0):
        raise OSError(errno.EROFS, "Read-only file system")


def test_errors_that_are_not_about_the_disk_pass_through(guard: StoreGuard) -> None:
    with pytest.raises(BrokenPipeError), guard.translated_errors(needed_bytes=1):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_change_that_is_not_possible_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    guard = StoreGuard(StoreLayout(root=tmp_path / "models"))
    done: list[str] = []
    assert not guard.try_to(lambda: done.append("never"))
    assert not done


def test_a_change_that_is_possible_is_made(guard: StoreGuard) -> None:
    done: list[str] = []
    assert guard.try_to(lambda: done.append("once"))
    assert done == ["once"]


def test_what_somebody_else_fetches_is_busy_at_once(guard: StoreGuard) -> None:
    with guard.held("key"):
        with pytest.raises(StoreBusyError) as caught, guard.held("key"):
            pass
        assert caught.value.waited_s == 0
        with guard.held("another"):
            pass
    with guard.held("key"):
        pass


def test_only_one_changes_the_store_at_a_time(guard: StoreGuard, tmp_path: Path) -> None:
    with guard.mutex():
        lock = guard.lock("store")
        assert Path(lock.lock_file) == tmp_path / "models" / "locks" / "store.lock"
        with pytest.raises(TimeoutError):
            lock.acquire(timeout=0)
    with guard.changing():
        pass
