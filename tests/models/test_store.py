"""Promises of `smallhold.models.store`: this file holds tests of keeping and finding models."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.exceptions import (
    ConfigError,
    ModelNotInstalledError,
    StoreBusyError,
    StoreFullError,
    StoreNotWritableError,
)
from smallhold.models.catalog import CatalogEntry
from smallhold.models.partial_file import PartialNotes
from smallhold.models.store import ROOM_RESERVE_BYTES, ModelStore, disk_free_bytes

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker

CONTENT = b"the whole model"


def put(store: ModelStore, entry: CatalogEntry, content: bytes = CONTENT) -> Path:
    partial = store.partial(entry)
    partial.restart(PartialNotes(source="test"))
    partial.append(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return store.publish(entry, partial, sha256=sha256, source="test")


def test_a_published_model_is_found_under_its_digest(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = put(store, entry)
    assert path == store.root / "blobs" / f"sha256-{entry.sha256}"
    assert path.read_bytes() == CONTENT
    assert store.find(entry) == path
    assert store.require(entry) == path


def test_a_model_that_is_not_there_is_none_or_an_error_with_the_next_step(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    assert store.find(entry) is None
    with pytest.raises(ModelNotInstalledError, match="smallhold pull tiny"):
        store.require(entry)


def test_looking_creates_nothing(store: ModelStore, make_entry: EntryMaker) -> None:
    store.find(make_entry(CONTENT))
    assert store.installed() == ()
    assert not store.root.exists()


def test_a_partial_file_is_never_found(store: ModelStore, make_entry: EntryMaker) -> None:
    entry = make_entry(CONTENT)
    partial = store.partial(entry)
    partial.restart(PartialNotes(source="test"))
    partial.append(CONTENT)
    assert store.find(entry) is None
    assert store.installed() == ()


def test_an_unverified_model_is_found_by_what_was_learnt_on_arrival(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, is_verified=False)
    path = put(store, entry)
    assert ModelStore(store.root).find(entry) == path


def test_a_blob_of_another_size_than_the_catalog_says_is_not_found(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    os.truncate(put(store, entry), 3)
    assert store.find(entry) is None


def test_installed_models_are_listed_with_their_origin(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    put(store, make_entry(b"b", alias="b", is_verified=False), b"b")
    put(store, make_entry(CONTENT, alias="a"))
    first, second = store.installed()
    assert (first.alias, first.is_verified, first.size_bytes) == ("a", True, len(CONTENT))
    assert (second.alias, second.is_verified, second.source) == ("b", False, "test")
    assert first.path.read_bytes() == CONTENT


def test_an_unreadable_record_is_passed_over(store: ModelStore, make_entry: EntryMaker) -> None:
    put(store, make_entry(CONTENT))
    (store.root / "records" / "broken.json").write_text("{")
    assert [model.alias for model in store.installed()] == ["tiny"]


def test_an_alias_whose_file_another_alias_fetched_is_adopted(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT, alias="first"))
    assert store.adopt(make_entry(CONTENT, alias="second")) == path
    assert [model.alias for model in store.installed()] == ["first", "second"]


def test_removing_a_model_frees_its_bytes(store: ModelStore, make_entry: EntryMaker) -> None:
    entry = make_entry(CONTENT)
    path = put(store, entry)
    assert store.remove("tiny") == len(CONTENT)
    assert not path.exists()
    assert store.installed() == ()


def test_a_file_that_another_alias_needs_stays(store: ModelStore, make_entry: EntryMaker) -> None:
    put(store, make_entry(CONTENT, alias="first"))
    second = make_entry(CONTENT, alias="second")
    store.adopt(second)
    assert store.remove("first") == 0
    assert store.find(second)


def test_removing_what_is_not_there_is_an_error(store: ModelStore) -> None:
    with pytest.raises(ModelNotInstalledError):
        store.remove("tiny")


def test_a_model_that_is_just_being_fetched_cannot_be_removed(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    put(store, entry)
    lock = store.lock(entry)
    Path(lock.lock_file).parent.mkdir(exist_ok=True)
    with lock, pytest.raises(StoreBusyError):
        store.remove("tiny")
    assert store.find(entry)


def test_leftovers_are_discarded_but_not_those_of_a_pull_under_way(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    stale, busy = make_entry(b"stale", alias="a.part"), make_entry(b"busy", is_verified=False)
    for entry in (stale, busy):
        store.partial(entry).restart(PartialNotes(source="test"))
        store.partial(entry).append(b"12345")
    lock = store.lock(busy)
    Path(lock.lock_file).parent.mkdir(exist_ok=True)
    with lock:
        assert store.discard_partials() == 5
    assert store.partial(stale).size_bytes == 0
    assert store.partial(busy).size_bytes == 5


@given(st.text(max_size=70))
@example("../" + "a" * 61)
@example("a" * 63 + "\n")
@example("A" * 64)
def test_only_a_digest_becomes_the_path_of_a_blob(digest: str) -> None:
    store = ModelStore(Path("/srv/models"))
    is_digest = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    if is_digest:
        assert store.blob_path(digest).parent == Path("/srv/models/blobs")
        return
    with pytest.raises(ConfigError):
        store.blob_path(digest)


@given(st.text(min_size=1, max_size=30))
@example("..")
@example("../../etc/passwd")
@example("/etc/passwd")
@example("a\0b")
@example(".hidden")
def test_no_alias_leads_out_of_the_store(alias: str) -> None:
    root = Path("/srv/models")
    entry = CatalogEntry(
        alias=alias,
        title="",
        family="",
        parameter_count=1,
        licence="",
        context_tokens=1,
        quantization="Q4_0",
        size_bytes=None,
        sha256=None,
        call_dialect="hermes",
        sources=(),
    )
    try:
        path = ModelStore(root).partial(entry).path
    except ConfigError:
        return
    assert Path(os.path.normpath(path)).parent == root / "partial"


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, free_bytes=lambda _: 100)
    with pytest.raises(StoreFullError) as caught:
        store.require_room(200)
    assert caught.value.free_bytes == 100
    assert caught.value.needed_bytes == 200 + ROOM_RESERVE_BYTES
    assert list(tmp_path.iterdir()) == []


def test_nothing_more_to_write_needs_no_room(tmp_path: Path) -> None:
    ModelStore(tmp_path, free_bytes=lambda _: 0).require_room(0)


def test_the_free_bytes_of_a_folder_to_come_are_those_of_its_disk(tmp_path: Path) -> None:
    assert disk_free_bytes(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_fills_up_while_writing_is_a_full_store(store: ModelStore, number: int) -> None:
    with pytest.raises(StoreFullError), store.translated_errors(needed_bytes=1):
        raise OSError(number, os.strerror(number))


def test_a_quota_is_not_mistaken_for_free_space(store: ModelStore) -> None:
    with pytest.raises(StoreFullError) as caught, store.translated_errors(needed_bytes=1):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    assert caught.value.free_bytes == 0


def test_errors_that_are_not_about_the_disk_pass_through(store: ModelStore) -> None:
    with pytest.raises(BrokenPipeError), store.translated_errors(needed_bytes=1):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_store_that_is_no_folder_cannot_be_written_and_says_so(
    tmp_path: Path, make_entry: EntryMaker
) -> None:
    (tmp_path / "models").write_text("a file")
    store = ModelStore(tmp_path / "models")
    entry = make_entry(CONTENT)
    assert store.find(entry) is None
    with pytest.raises(StoreNotWritableError), store.translated_errors(needed_bytes=0):
        put(store, entry)


def test_a_changed_catalog_digest_makes_the_old_file_unfit(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    put(store, entry)
    assert store.find(replace(entry, sha256="b" * 64)) is None
