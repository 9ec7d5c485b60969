"""Promises of `smallhold.models.archives.reading`: this file holds tests with hostile archives."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import ConfigError, InvalidArchiveError
from smallhold.models.archives.manifest import MANIFEST_MAX_BYTES, MANIFEST_NAME
from smallhold.models.archives.reading import ArchiveReader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.models.archives.conftest import Machine


def tar_of(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_files_come_in_the_order_of_the_manifest(here: Machine, stick: Path) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick)
    with ArchiveReader(path) as reader:
        first, second = reader.manifest.files
        reader.skip(first)
        data = bytearray()
        reader.copy(second, write=data.extend)
        assert bytes(data) == b"weights of b"


def test_a_file_out_of_its_turn_is_refused(here: Machine, stick: Path) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick)
    with ArchiveReader(path) as reader, pytest.raises(InvalidArchiveError, match="does not come"):
        reader.skip(reader.manifest.files[1])


def test_what_is_no_archive_is_refused(stick: Path) -> None:
    for name, data in (("empty", b""), ("text", b"Dear Ada" * 100), ("zeros", bytes(10_000))):
        (stick / name).write_bytes(data)
        with pytest.raises(InvalidArchiveError, match="no archive"):
            ArchiveReader(stick / name)
    with pytest.raises(InvalidArchiveError, match="no archive"):
        ArchiveReader(tar_of(stick / "other.tar", ("readme.txt", b"hello")))


def test_a_file_that_is_not_there_is_wrong_usage(stick: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        ArchiveReader(stick / "none.tar")
    with pytest.raises(ConfigError, match="no such file"):
        ArchiveReader(stick)


def test_a_huge_manifest_is_refused_unread(stick: Path) -> None:
    info = tarfile.TarInfo(MANIFEST_NAME)
    info.size = 1 << 40
    path = stick / "bomb.tar"
    path.write_bytes(info.tobuf(format=tarfile.GNU_FORMAT))
    os.truncate(path, 1 << 40)
    with pytest.raises(InvalidArchiveError, match=f"{MANIFEST_MAX_BYTES:,}"):
        ArchiveReader(path)


def test_a_manifest_cut_short_is_refused(stick: Path) -> None:
    info = tarfile.TarInfo(MANIFEST_NAME)
    info.size = 1000
    (stick / "cut.tar").write_bytes(info.tobuf(format=tarfile.GNU_FORMAT) + b'{"format": ')
    with pytest.raises(InvalidArchiveError, match="manifest is not sound"):
        ArchiveReader(stick / "cut.tar")


@pytest.mark.parametrize("change", [-1, -600, 1, 10_000, 1 << 40])
def test_an_archive_that_is_shorter_or_longer_than_it_says_is_refused(
    here: Machine, stick: Path, change: int
) -> None:
    here.add("a", bytes(2000))
    (path,) = here.export(stick)
    os.truncate(path, path.stat().st_size + change)
    with pytest.raises(InvalidArchiveError, match="instead of"):
        ArchiveReader(path)


def test_a_missing_part_is_noticed_before_anything_is_read(here: Machine, stick: Path) -> None:
    here.add("a", bytes(3_000_000))
    parts = here.export(stick, split_bytes=1_000_000)
    for part in parts[1:]:
        hidden = part.rename(stick / "hidden")
        with pytest.raises(InvalidArchiveError, match="a part of it is missing"):
            ArchiveReader(parts[0])
        hidden.rename(part)
    with ArchiveReader(parts[0]) as reader:
        assert len(reader.manifest.files) == 1


def test_changed_bytes_are_noticed_at_their_end(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    (path,) = here.export(stick)
    path.write_bytes(path.read_bytes().replace(b"weights", b"WEIGHTS"))
    with ArchiveReader(path) as reader, pytest.raises(InvalidArchiveError, match="were changed"):
        reader.copy(reader.manifest.files[0], write=bytearray().extend)


def test_a_member_whose_name_is_a_path_is_refused(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    (path,) = here.export(stick)
    with tarfile.open(path) as tar:
        member = tar.extractfile(MANIFEST_NAME)
        assert member
        manifest = member.read()
    evil = tar_of(stick / "evil.tar", (MANIFEST_NAME, manifest), ("../../etc/cron.d/x", b"weights"))
    os.truncate(evil, path.stat().st_size)
    with ArchiveReader(evil) as reader, pytest.raises(InvalidArchiveError, match="does not come"):
        reader.copy(reader.manifest.files[0], write=bytearray().extend)
