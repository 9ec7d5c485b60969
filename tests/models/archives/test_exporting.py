"""Promises of `smallhold.models.archives.exporting`: this file holds tests of writing archives."""

from __future__ import annotations

import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import (
    ArchiveNotWritableError,
    ConfigError,
    ModelChangedError,
    ModelNotInstalledError,
    UnknownModelError,
)
from smallhold.models.archives import export_models, plan_export
from smallhold.models.archives.exporting import DEFAULT_ARCHIVE_NAME, MIN_SPLIT_BYTES
from smallhold.models.store.file_digest import hash_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.models.archives.conftest import Machine

LARGE = bytes(range(256)) * 10_000


def test_an_archive_is_a_tar_with_a_manifest_first(here: Machine, stick: Path) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick / "models.tar")
    with tarfile.open(path) as tar:
        names = tar.getnames()
        assert names[0] == "smallhold-models.json"
        assert all(name.startswith("blobs/sha256-") for name in names[1:])
        member = tar.extractfile(names[1])
        assert member
        assert member.read() == b"weights of a"


def test_the_size_of_an_archive_is_known_beforehand(here: Machine, stick: Path) -> None:
    here.add("a", LARGE)
    plan = plan_export(["a"], store=here.store, catalog=here.catalog, path=stick / "x.tar")
    steps: list[tuple[int, int]] = []
    (path,) = export_models(plan, report=lambda done, total: steps.append((done, total)))
    assert path.stat().st_size == plan.archive_bytes
    assert steps[-1] == (plan.archive_bytes, plan.archive_bytes)


def test_a_folder_gets_an_archive_of_the_usual_name(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    assert here.export(stick) == (stick / DEFAULT_ARCHIVE_NAME,)


def test_the_same_models_make_the_same_archive(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    (first,), (second,) = here.export(stick / "1.tar"), here.export(stick / "2.tar")
    assert first.read_bytes() == second.read_bytes()


def test_a_model_named_twice_is_there_once(here: Machine, stick: Path) -> None:
    here.add("a", LARGE)
    (once,) = here.export(stick / "1.tar", "a")
    (twice,) = here.export(stick / "2.tar", "a", "a:q4_0")
    assert once.read_bytes() == twice.read_bytes()


def test_parts_joined_are_the_archive(here: Machine, stick: Path) -> None:
    here.add("a", LARGE)
    (whole,) = here.export(stick / "whole.tar")
    parts = here.export(stick / "split.tar", split_bytes=MIN_SPLIT_BYTES)
    assert [part.name for part in parts] == ["split.tar.001", "split.tar.002", "split.tar.003"]
    joined = subprocess.run(["/bin/cat", *parts], capture_output=True, check=True).stdout
    assert joined == whole.read_bytes()


def test_an_archive_that_is_there_is_replaced_only_on_demand(here: Machine, stick: Path) -> None:
    here.add("a", LARGE)
    path = stick / "a.tar"
    old = here.export(path, split_bytes=MIN_SPLIT_BYTES)
    with pytest.raises(ConfigError, match="--force"):
        here.export(path)
    assert all(part.exists() for part in old)
    plan = plan_export(["a"], store=here.store, catalog=here.catalog, path=path)
    assert export_models(plan, replaces=True) == (path,)
    assert list(stick.iterdir()) == [path]


def test_only_installed_models_of_the_catalog_are_exported(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    with pytest.raises(UnknownModelError):
        here.export(stick, "b")
    here.store.remove("a")
    with pytest.raises(ModelNotInstalledError):
        here.export(stick, "a")


def test_a_model_used_in_place_is_exported_too(here: Machine, stick: Path, tmp_path: Path) -> None:
    here.add("a", b"weights")
    here.store.remove("a")
    file = tmp_path / "elsewhere"
    file.write_bytes(b"weights")
    entry = here.catalog.resolve("a")
    here.store.publish_in_place(entry, file, hashed=hash_file(file), source="ollama:a")
    (path,) = here.export(stick, "a")
    with tarfile.open(path) as tar:
        assert len(tar.getnames()) == 2


def test_a_damaged_model_is_not_exported_and_nothing_is_left(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    here.store.require(here.catalog.resolve("a")).write_bytes(b"WEIGHTS")
    with pytest.raises(ModelChangedError, match="has the sha256"):
        here.export(stick)
    assert list(stick.iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_written(here: Machine, stick: Path) -> None:
    here.add("a", LARGE)
    plan = plan_export(["a"], store=here.store, catalog=here.catalog, path=stick)
    with pytest.raises(ArchiveNotWritableError, match="MB are free"):
        export_models(plan, free_bytes=lambda _: 1000)
    assert list(stick.iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(here: Machine, stick: Path) -> None:
    here.add("a", LARGE)
    plan = plan_export(["a"], store=here.store, catalog=here.catalog, path=stick)

    def fill_up(done_bytes: int, total_bytes: int) -> None:
        raise OSError(28, "No space left on device", done_bytes, None, total_bytes)

    with pytest.raises(ArchiveNotWritableError, match="No space left"):
        export_models(plan, report=fill_up)
    assert list(stick.iterdir()) == []


@pytest.mark.parametrize("split_bytes", [0, -5, MIN_SPLIT_BYTES - 1])
def test_parts_that_are_too_small_are_refused(here: Machine, stick: Path, split_bytes: int) -> None:
    here.add("a", b"weights")
    with pytest.raises(ConfigError, match="split"):
        here.export(stick, split_bytes=split_bytes)


def test_a_folder_that_is_not_there_is_not_made(here: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    with pytest.raises(ConfigError, match="make it first"):
        here.export(stick / "none" / "a.tar")
