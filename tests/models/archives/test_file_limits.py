"""Promises of `smallhold.models.archives.file_limits`: this file holds tests of known limits."""

from __future__ import annotations

from pathlib import Path

from smallhold.models.archives.file_limits import FAT_FILE_BYTES, file_limit_bytes


def test_a_stick_with_fat32_has_a_limit_and_other_disks_have_none(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    mounts = {"/": "ext4", str(stick.resolve()): "vfat"}
    assert file_limit_bytes(stick, mounts) == FAT_FILE_BYTES
    assert file_limit_bytes(tmp_path, mounts) is None


def test_the_nearest_mount_decides(tmp_path: Path) -> None:
    inner = tmp_path / "stick" / "inner"
    inner.mkdir(parents=True)
    mounts = {"/": "ext4", str((tmp_path / "stick").resolve()): "vfat"}
    assert file_limit_bytes(inner, mounts) == FAT_FILE_BYTES
    assert file_limit_bytes(inner, {**mounts, str(inner.resolve()): "exfat"}) is None


def test_a_name_that_only_begins_alike_is_another_folder(tmp_path: Path) -> None:
    (tmp_path / "stick2").mkdir()
    assert file_limit_bytes(tmp_path / "stick2", {str(tmp_path / "stick"): "vfat"}) is None


def test_this_machine_can_be_asked(tmp_path: Path) -> None:
    assert file_limit_bytes(tmp_path) in {None, FAT_FILE_BYTES}
