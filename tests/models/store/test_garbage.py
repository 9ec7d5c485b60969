"""Promises of `smallhold.models.store.garbage`:
this file holds tests of collecting what nobody needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.models.stored import put

from smallhold.exceptions import ModelChangedError, StoreNotWritableError
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.store.file_digest import hash_file
from smallhold.models.store.garbage import collect_garbage

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker

    from smallhold.models.store.store import ModelStore

CONTENT = b"weights"


def orphan(store: ModelStore, make_entry: EntryMaker) -> Path:
    path = put(store, make_entry(b"orphan", alias="orphan"), b"orphan")
    store.layout.record("orphan:f32").unlink()
    return path


def test_a_tidy_store_has_no_garbage(store: ModelStore, make_entry: EntryMaker) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    report = collect_garbage(store)
    assert (report.freed_bytes, report.kept_bytes) == (0, len(CONTENT))
    assert path.exists()


def test_a_store_that_is_not_there_has_no_garbage(store: ModelStore) -> None:
    assert collect_garbage(store, is_dry_run=True).freed_bytes == 0
    assert not store.root.exists()


def test_a_file_without_a_record_is_deleted(store: ModelStore, make_entry: EntryMaker) -> None:
    path = orphan(store, make_entry)
    put(store, make_entry(CONTENT), CONTENT)
    report = collect_garbage(store)
    assert report.orphans == (path,)
    assert report.freed_bytes == 6
    assert not path.exists()
    assert [model.alias for model in store.installed()] == ["tiny"]


def test_a_file_that_the_catalog_knows_gets_its_record_back(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = orphan(store, make_entry)
    report = collect_garbage(store, known=[make_entry(b"orphan", alias="orphan")])
    assert report.freed_bytes == 0
    assert path.exists()
    assert [model.alias for model in store.installed()] == ["orphan"]


def test_a_dry_run_says_the_same_and_changes_nothing(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    orphan(store, make_entry)
    put(store, make_entry(CONTENT), CONTENT)
    before = sorted(store.root.rglob("*"))
    planned = collect_garbage(store, limit_bytes=0, is_dry_run=True)
    assert sorted(store.root.rglob("*")) == before
    assert collect_garbage(store, limit_bytes=0) == planned
    assert planned.freed_bytes == 6 + len(CONTENT)
    assert store.installed() == ()


def test_a_file_in_use_stays_even_without_a_record(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = orphan(store, make_entry)
    with store.in_use(path):
        assert collect_garbage(store).freed_bytes == 0
    assert path.exists()


def test_records_of_vanished_files_are_forgotten(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    put(store, make_entry(CONTENT), CONTENT).unlink()
    other = tmp_path / "other.gguf"
    other.write_bytes(b"other")
    store.publish_in_place(
        make_entry(b"other", alias="b"), other, hashed=hash_file(other), source=""
    )
    assert collect_garbage(store).stale_records == ("tiny:f32",)
    other.write_bytes(b"OTHER")
    assert collect_garbage(store).stale_records == ("b:f32",)
    assert other.exists()
    assert store.records.all() == {}


def test_what_was_set_aside_is_deleted(store: ModelStore, make_entry: EntryMaker) -> None:
    entry = make_entry(CONTENT)
    put(store, entry, CONTENT).write_bytes(b"damaged")
    with pytest.raises(ModelChangedError):
        store.verify(entry)
    report = collect_garbage(store)
    assert report.freed_bytes == len(b"damaged")
    assert not list((store.root / "damaged").iterdir())


def test_records_cut_short_go_and_those_of_newer_versions_stay(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    newer = store.layout.record("tiny:f32")
    newer.write_text(json.dumps({"version": 9, "blob": path.name}))
    torn = newer.with_name("torn.json")
    torn.write_text('{"version": 1, "ali')
    leftover = newer.with_name("tiny+f32.json.new")
    leftover.write_text("{")
    collect_garbage(store)
    assert newer.exists()
    assert path.exists()
    assert not torn.exists()
    assert not leftover.exists()


def test_interrupted_pulls_are_told_and_kept(store: ModelStore, make_entry: EntryMaker) -> None:
    partial = store.partial(make_entry(b"arriving"))
    partial.restart(PartialNotes(source="test"))
    partial.append(b"arr")
    assert collect_garbage(store).partials_bytes > 0
    assert partial.size_bytes == 3
    store.discard_partials()
    assert collect_garbage(store).partials_bytes == 0


def test_a_pin_outlives_the_loss_of_its_model(store: ModelStore, make_entry: EntryMaker) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    store.pin("tiny")
    path.unlink()
    collect_garbage(store)
    put(store, make_entry(CONTENT), CONTENT)
    assert store.installed()[0].is_pinned


def test_garbage_of_a_read_only_store_stays(store: ModelStore, make_entry: EntryMaker) -> None:
    path = orphan(store, make_entry)
    for lock in (store.root / "locks").iterdir():
        lock.unlink()
    (store.root / "locks").rmdir()
    (store.root / "locks").write_text("no folder")
    assert collect_garbage(store, is_dry_run=True).orphans == (path,)
    with pytest.raises(StoreNotWritableError):
        collect_garbage(store)
    assert path.exists()
