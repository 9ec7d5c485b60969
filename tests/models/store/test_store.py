"""Promises of `smallhold.models.store.store`:
this file holds tests of keeping and finding models.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.exceptions import (
    ConfigError,
    ModelChangedError,
    ModelInUseError,
    ModelNotInstalledError,
    StoreBusyError,
    StoreNotWritableError,
)
from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.store.blob_lease import is_leased
from smallhold.models.store.file_digest import hash_file
from smallhold.models.store.store import ModelStore, open_store
from smallhold.settings import Settings

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


def test_two_files_of_one_model_are_kept_apart(store: ModelStore, make_entry: EntryMaker) -> None:
    small, large = make_entry(b"small"), replace(make_entry(b"large!"), quantization="Q8_0")
    put(store, small, b"small")
    put(store, large, b"large!")
    assert store.require(small).read_bytes() == b"small"
    assert store.require(large).read_bytes() == b"large!"
    assert [model.reference for model in store.installed()] == ["tiny:f32", "tiny:q8_0"]


def test_an_alias_of_several_files_must_be_said_more_exactly(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    put(store, make_entry(b"small"), b"small")
    put(store, replace(make_entry(b"large!"), quantization="Q8_0"), b"large!")
    with pytest.raises(ConfigError, match="tiny:f32, tiny:q8_0"):
        store.remove("tiny")
    assert store.remove("tiny:Q8_0") == 6
    assert store.named("tiny").reference == "tiny:f32"


def test_a_model_of_an_older_store_is_found_listed_and_removed(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, is_verified=False)
    put(store, entry)
    store.layout.record("tiny:f32").rename(store.layout.old_record("tiny"))
    assert store.require(entry).read_bytes() == CONTENT
    assert store.digest(entry) == hashlib.sha256(CONTENT).hexdigest()
    assert [model.reference for model in store.installed()] == ["tiny:f32"]
    assert store.remove("tiny") == len(CONTENT)
    assert not list((store.root / "records").iterdir())


def elsewhere(tmp_path: Path, store: ModelStore, entry: CatalogEntry) -> Path:
    """A file of another program that the store has noted down."""
    path = tmp_path / "other" / "weights.gguf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    return store.publish_in_place(entry, path, hashed=hash_file(path), source="ollama:tiny")


def test_a_file_elsewhere_is_used_where_it_lies(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = elsewhere(tmp_path, store, entry)
    assert store.find(entry) == path
    assert store.require(entry) == path
    assert store.verify(entry) == path
    (model,) = store.installed()
    assert (model.path, model.is_in_place, model.source) == (path, True, "ollama:tiny")
    assert not (store.root / "blobs").exists()


def test_a_file_elsewhere_that_changed_is_not_loaded_and_forgotten(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = elsewhere(tmp_path, store, entry)
    path.write_bytes(b"!" * len(CONTENT))
    assert store.find(entry) is None
    assert store.installed() == ()
    with pytest.raises(ModelChangedError, match="was written or replaced") as caught:
        store.require(entry)
    assert caught.value.path == str(path)
    assert isinstance(caught.value, ModelNotInstalledError)
    with pytest.raises(ModelNotInstalledError) as caught_again:
        store.require(entry)
    assert not isinstance(caught_again.value, ModelChangedError)
    assert path.exists()


def test_a_file_elsewhere_that_vanished_is_reported(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    elsewhere(tmp_path, store, entry).unlink()
    with pytest.raises(ModelChangedError, match="cannot be found"):
        store.verified_path(entry)


def test_a_file_elsewhere_that_was_changed_in_secret_is_found_when_it_is_read(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = elsewhere(tmp_path, store, entry)
    times = path.stat()
    path.write_bytes(b"!" * len(CONTENT))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.verified_path(entry) == path
    careful = ModelStore(store.root, verify_on_load=True)
    with pytest.raises(ModelChangedError, match="has the sha256"):
        careful.verified_path(entry)
    assert store.find(entry) is None
    assert path.exists()


def test_removing_a_file_elsewhere_only_forgets_it(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = elsewhere(tmp_path, store, entry)
    assert store.remove("tiny") == 0
    assert path.exists()
    assert store.find(entry) is None


def test_a_file_elsewhere_serves_every_name_of_it(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    path = elsewhere(tmp_path, store, make_entry(CONTENT))
    twin = make_entry(CONTENT, alias="twin")
    assert store.adopt(twin) == path
    assert store.find(twin) == path


def test_a_pull_replaces_a_file_elsewhere(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    elsewhere(tmp_path, store, entry).unlink()
    path = put(store, entry)
    assert store.require(entry) == path
    assert not store.installed()[0].is_in_place


def test_a_sound_file_passes_verification(store: ModelStore, make_entry: EntryMaker) -> None:
    entry = make_entry(CONTENT, is_verified=False)
    path = put(store, entry)
    assert ModelStore(store.root, verify_on_load=True).verified_path(entry) == path


def test_a_damaged_file_is_set_aside_so_that_a_pull_fetches_it(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = put(store, entry)
    path.write_bytes(b"!" * len(CONTENT))
    assert store.verified_path(entry) == path
    careful = ModelStore(store.root, verify_on_load=True)
    with pytest.raises(ModelChangedError, match="smallhold pull tiny:f32"):
        careful.verified_path(entry)
    assert store.find(entry) is None
    assert store.installed() == ()
    assert store.layout.damaged(path.name.removeprefix("sha256-")).exists()
    assert put(store, entry).read_bytes() == CONTENT


def test_a_file_that_cannot_be_read_is_left_where_it_is(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(b"", size_bytes=None)
    path = store.layout.blob(str(entry.sha256))
    path.parent.mkdir(parents=True)
    path.symlink_to("/proc/self/mem")
    with pytest.raises(ModelChangedError, match="cannot be read"):
        store.verify(entry)
    assert path.is_symlink()


def test_the_use_of_a_model_is_noted_when_it_is_loaded(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = put(store, entry)
    os.utime(store.layout.use(str(entry.sha256)), (1, 1))
    assert store.installed()[0].last_used_s == 1
    with store.in_use(store.verified_path(entry)):
        assert store.installed()[0].last_used_s > 1
    os.utime(store.layout.use(str(entry.sha256)), (1, 1))
    store.touch(replace(entry, sha256=None))
    assert store.installed()[0].last_used_s > 1
    assert path.exists()


def test_a_loaded_model_is_neither_evicted_nor_removed(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = put(store, entry)
    with store.in_use(path):
        assert store.trim(limit_bytes=0).evicted == ()
        with pytest.raises(ModelInUseError, match="tiny:f32"):
            store.remove("tiny")
        assert store.find(entry)
    assert store.trim(limit_bytes=0).freed_bytes == len(CONTENT)
    assert store.find(entry) is None


def test_a_model_that_is_loaded_keeps_its_file_when_the_same_bytes_arrive_again(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT))
    with store.in_use(path):
        before = path.stat().st_ino
        put(store, make_entry(CONTENT, alias="twin"))
        assert path.stat().st_ino == before
        assert store.trim(limit_bytes=0).evicted == ()
    assert [model.alias for model in store.installed()] == ["tiny", "twin"]


def test_a_pinned_model_is_never_evicted(store: ModelStore, make_entry: EntryMaker) -> None:
    put(store, make_entry(b"a", alias="a"), b"a")
    put(store, make_entry(b"b", alias="b"), b"b")
    assert store.pin("a").reference == "a:f32"
    plan = store.trim(limit_bytes=0)
    assert [blob.references for blob in plan.evicted] == [("b:f32",)]
    assert plan.kept_bytes == 1
    store.unpin("a")
    assert store.trim(limit_bytes=0).freed_bytes == 1


def test_a_pin_on_one_name_of_a_file_keeps_the_file(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    put(store, make_entry(CONTENT, alias="a"))
    store.adopt(make_entry(CONTENT, alias="b"))
    store.pin("b")
    assert store.trim(limit_bytes=0).evicted == ()
    store.remove("b")
    assert store.trim(limit_bytes=0).freed_bytes == len(CONTENT)


def test_only_models_of_this_machine_can_be_pinned(store: ModelStore) -> None:
    with pytest.raises(ModelNotInstalledError):
        store.pin("tiny")


def test_the_least_recently_used_is_evicted_until_the_rest_fits(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    for number, alias in enumerate("abcd", start=1):
        content = alias.encode() * 10
        put(store, make_entry(content, alias=alias), content)
        os.utime(store.layout.use(hashlib.sha256(content).hexdigest()), (number, number))
    assert [blob.references for blob in store.plan_trim(limit_bytes=25).evicted] == [
        ("a:f32",),
        ("b:f32",),
    ]
    assert len(store.installed()) == 4
    store.trim(limit_bytes=25, keep=["b:f32"])
    assert [model.alias for model in store.installed()] == ["b", "d"]


def test_files_elsewhere_do_not_count_and_are_not_evicted(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    path = elsewhere(tmp_path, store, make_entry(CONTENT))
    plan = store.trim(limit_bytes=0)
    assert (plan.evicted, plan.kept_bytes) == ((), 0)
    assert path.exists()
    with store.in_use(path):
        assert not is_leased(path)


def test_a_file_that_was_evicted_before_it_was_loaded_is_reported(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT))
    path.unlink()
    with pytest.raises(ModelChangedError, match="tiny:f32"), store.in_use(path):
        pass


def test_a_store_behind_a_link_protects_its_files_all_the_same(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENT))
    (tmp_path / "link").symlink_to(store.root)
    linked = ModelStore(tmp_path / "link")
    with linked.in_use(path):
        assert store.trim(limit_bytes=0).evicted == ()
    with store.in_use(tmp_path / "link" / "blobs" / path.name):
        assert store.trim(limit_bytes=0).evicted == ()


def test_models_of_a_store_that_cannot_be_written_are_usable(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    path = put(store, entry)
    for name in ("locks", "uses", "pins"):
        shutil.rmtree(store.root / name, ignore_errors=True)
        (store.root / name).write_text("no folder")
    careful = ModelStore(store.root, verify_on_load=True)
    with careful.in_use(careful.verified_path(entry)):
        assert careful.find(entry) == path
    twin = make_entry(CONTENT, alias="twin")
    assert careful.adopt(twin) == path
    assert careful.plan_trim(limit_bytes=0).evicted
    assert careful.trim(limit_bytes=1000).evicted == ()
    for change in (
        lambda: careful.trim(limit_bytes=0),
        lambda: careful.remove("tiny"),
        lambda: careful.pin("tiny"),
    ):
        with pytest.raises(StoreNotWritableError):
            change()
    assert careful.find(entry) == path


def test_the_store_of_the_settings_verifies_as_they_say(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path, verify_on_load=True)
    assert open_store(settings).verify_on_load
    assert open_store(settings).root == tmp_path / "models"
    assert not open_store(Settings(home=tmp_path, cache=tmp_path)).verify_on_load


def test_a_claimed_entry_is_claimed_by_nobody_else(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(b"weights")
    with store.claimed(entry), pytest.raises(StoreBusyError), store.claimed(entry):
        pass
    with store.claimed(entry):
        assert not store.holds(entry)
