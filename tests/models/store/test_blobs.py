"""Promises of `smallhold.models.store.blobs`: this file holds tests of the store's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.models.stored import put

from smallhold.exceptions import ModelInUseError
from smallhold.models.pulling.partial_file import PartialFile
from smallhold.models.store.blob_lease import is_leased

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker

    from smallhold.models.store.store import ModelStore

CONTENT = b"weights"


def test_only_the_stores_own_files_have_a_digest(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    assert store.blobs.digest_at(path) == make_entry(CONTENT).sha256
    assert store.blobs.digest_at(tmp_path / path.name) is None
    assert store.blobs.digest_at(path.with_name("sha256-x")) is None


def test_a_file_is_without_record_when_no_record_names_it(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    assert store.blobs.without_record() == ()
    store.layout.record("tiny:f32").unlink()
    assert store.blobs.without_record() == (path,)


def test_a_record_that_only_a_newer_version_can_read_protects_its_file(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    text = {"version": 9, "blob": path.name}
    store.layout.record("tiny:f32").write_text(json.dumps(text))
    assert store.blobs.without_record() == ()


def test_two_names_of_one_file_are_one_file(store: ModelStore, make_entry: EntryMaker) -> None:
    put(store, make_entry(CONTENT, alias="a"), CONTENT)
    store.adopt(make_entry(CONTENT, alias="b"))
    (state,) = store.blobs.states(store.installed())
    assert state.references == ("a:f32", "b:f32")
    assert state.size_bytes == len(CONTENT)
    assert not state.is_loaded


def test_a_file_that_was_loaded_since_the_plan_was_made_is_not_evicted(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    (state,) = store.blobs.states(store.installed())
    with store.in_use(path):
        assert not store.blobs.evict(state)
    assert store.blobs.evict(state)
    assert store.installed() == ()


def test_a_used_file_is_neither_removed_nor_discarded(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    (model,) = store.installed()
    with store.in_use(path):
        assert store.blobs.discard(path) == 0
        with pytest.raises(ModelInUseError):
            store.blobs.remove(model)
    assert store.blobs.discard(path) == len(CONTENT)


class WatchedArrival(PartialFile):
    """Notes whether anybody could begin to use the file whose name it takes."""

    could_be_used: bool | None = None

    def promote(self, target: Path) -> None:
        self.could_be_used = not is_leased(target)
        super().promote(target)


def test_nobody_can_begin_to_use_a_file_whose_name_is_just_taken(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT), CONTENT)
    arrival = WatchedArrival(tmp_path / "again.part")
    arrival.append(CONTENT)
    store.blobs.put(arrival, path)
    assert arrival.could_be_used is False
    assert path.read_bytes() == CONTENT
    assert not is_leased(path)
