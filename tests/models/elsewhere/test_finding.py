"""Promises of `smallhold.models.elsewhere.finding`: this file holds tests of the search."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.models.foreign_folders import HubCache, OllamaFolder, digest

from smallhold.models.catalog.source_specs import HuggingFaceSpec, OllamaSpec
from smallhold.models.elsewhere import adopt_in_place, every_file, find_elsewhere
from smallhold.models.elsewhere.places import ForeignPlaces

if TYPE_CHECKING:
    from pathlib import Path

    from tests.models.conftest import EntryMaker, GGUFMaker

    from smallhold.models.store.store import ModelStore

CONTENT = b"the weights of a model"
HUB = HuggingFaceSpec(repo="owner/tiny-GGUF", file="tiny.gguf")
OLLAMA = OllamaSpec(model="tiny", tag="1b")


def test_an_entry_is_found_by_its_digest_whatever_its_sources(
    hub_cache: HubCache, ollama: OllamaFolder, make_entry: EntryMaker
) -> None:
    blobs = {ollama.add(CONTENT), hub_cache.add(CONTENT, repo="someone/else")}
    places = ForeignPlaces(hugging_face=(hub_cache.root,), ollama=(ollama.root,))
    found = find_elsewhere(make_entry(CONTENT), places=places)
    assert {file.path for file in found} == blobs
    assert find_elsewhere(make_entry(b"another"), places=places) == ()


def test_an_entry_without_a_digest_is_found_by_its_sources(
    hub_cache: HubCache, ollama: OllamaFolder, make_entry: EntryMaker
) -> None:
    from_hub, from_ollama = hub_cache.add(CONTENT), ollama.add(CONTENT)
    for spec, places, path in (
        (HUB, hub_cache.places, from_hub),
        (OLLAMA, ollama.places, from_ollama),
    ):
        entry = make_entry(CONTENT, spec, is_verified=False)
        assert [file.path for file in find_elsewhere(entry, places=places)] == [path]


def test_a_file_of_another_size_is_not_even_hashed(
    ollama: OllamaFolder, make_entry: EntryMaker
) -> None:
    ollama.add(CONTENT)
    entry = replace(make_entry(CONTENT), size_bytes=5)
    assert find_elsewhere(entry, places=ollama.places) == ()


def test_a_file_is_adopted_without_a_copy(
    ollama: OllamaFolder, store: ModelStore, make_entry: EntryMaker
) -> None:
    blob, entry = ollama.add(CONTENT), make_entry(CONTENT)
    assert adopt_in_place(entry, store=store, places=ollama.places) == blob
    assert store.require(entry) == blob
    assert not (store.root / "blobs").exists()
    (model,) = store.installed()
    assert model.is_in_place
    assert model.is_verified


def test_nothing_there_is_nothing_adopted(
    ollama: OllamaFolder, store: ModelStore, make_entry: EntryMaker
) -> None:
    assert adopt_in_place(make_entry(CONTENT), store=store, places=ollama.places) is None
    assert not store.root.exists()


def test_a_file_that_is_not_what_its_name_says_is_not_adopted(
    ollama: OllamaFolder, store: ModelStore, make_entry: EntryMaker
) -> None:
    blob, entry = ollama.add(CONTENT), make_entry(CONTENT)
    blob.write_bytes(CONTENT[::-1])
    assert adopt_in_place(entry, store=store, places=ollama.places) is None
    assert store.find(entry) is None


def test_the_sound_one_of_two_is_adopted(
    hub_cache: HubCache, ollama: OllamaFolder, store: ModelStore, make_entry: EntryMaker
) -> None:
    ollama.add(CONTENT).write_bytes(CONTENT[::-1])
    sound = hub_cache.add(CONTENT)
    places = ForeignPlaces(hugging_face=(hub_cache.root,), ollama=(ollama.root,))
    assert adopt_in_place(make_entry(CONTENT), store=store, places=places) == sound


def test_a_file_of_the_right_name_and_the_wrong_digest_is_not_adopted(
    hub_cache: HubCache, store: ModelStore, make_entry: EntryMaker
) -> None:
    hub_cache.add(CONTENT[::-1])
    entry = make_entry(CONTENT, HUB)
    assert adopt_in_place(entry, store=store, places=hub_cache.places) is None


def test_without_a_digest_only_a_sound_gguf_file_is_adopted(
    hub_cache: HubCache, store: ModelStore, make_entry: EntryMaker, gguf: GGUFMaker
) -> None:
    hub_cache.add(b"<html>not found</html>")
    entry = make_entry(b"", HUB, is_verified=False, size_bytes=None)
    assert adopt_in_place(entry, store=store, places=hub_cache.places) is None
    link = hub_cache.repository(HUB.repo) / "snapshots" / ("1" * 40) / HUB.file
    link.unlink()
    blob = hub_cache.add(gguf.model())
    assert adopt_in_place(entry, store=store, places=hub_cache.places) == blob
    assert store.digest(entry) == digest(gguf.model())
    assert not store.installed()[0].is_verified


def test_hashing_tells_how_far_it_is_and_can_be_ended(
    ollama: OllamaFolder, store: ModelStore, make_entry: EntryMaker
) -> None:
    ollama.add(CONTENT)

    def stop(done_bytes: int, total_bytes: int) -> None:
        assert (done_bytes, total_bytes) == (len(CONTENT), len(CONTENT))
        raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        adopt_in_place(make_entry(CONTENT), store=store, places=ollama.places, report=stop)
    assert store.installed() == ()


def test_everything_that_is_there_is_listed_once(
    hub_cache: HubCache, ollama: OllamaFolder, tmp_path: Path
) -> None:
    paths = {hub_cache.add(b"a"), ollama.add(b"b")}
    places = ForeignPlaces(
        hugging_face=(hub_cache.root, tmp_path / "none"), ollama=(ollama.root, ollama.root)
    )
    assert {file.path for file in every_file(places=places)} == paths
