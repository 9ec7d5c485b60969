from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from tests.runtimes.residency.scripted_models import House

from smallhold.models import CatalogEntry, ModelStore, load_catalog
from smallhold.runtimes.residency import ModelSpec, StoredModel
from smallhold.runtimes.residency.trimming import trim_stores


def put(store: ModelStore, alias: str, content: bytes) -> CatalogEntry:
    """Put a little file into a store, as a pull does."""
    digest = sha256(content).hexdigest()
    known = load_catalog().resolve("smollm2-135m")
    entry = replace(known, alias=alias, sha256=digest, size_bytes=len(content))
    partial = store.partial(entry)
    partial.path.parent.mkdir(parents=True, exist_ok=True)
    partial.path.write_bytes(content)
    store.publish(entry, partial, sha256=digest, source="a test")
    return entry


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


def spec_of(store: ModelStore, entry: CatalogEntry) -> ModelSpec:
    spec = House(sizes={}).spec(entry.alias)
    return replace(spec, stored=StoredModel(store=store, entry=entry))


def test_what_is_in_memory_is_kept_and_the_rest_goes(store: ModelStore) -> None:
    entries = [put(store, name, name.encode() * 1000) for name in ("one", "two", "six")]
    trim_stores(store, limit_bytes=3500, kept=[spec_of(store, entries[0])])
    assert store.find(entries[0]) is not None
    assert len(store.installed()) == 1


def test_a_store_within_its_limit_stays_as_it_is(store: ModelStore) -> None:
    entries = [put(store, name, name.encode() * 1000) for name in ("one", "two")]
    trim_stores(store, limit_bytes=10_000, kept=[spec_of(store, entries[0])])
    assert len(store.installed()) == 2


def test_a_store_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    trim_stores(ModelStore(tmp_path / "absent"), limit_bytes=1, kept=[])
