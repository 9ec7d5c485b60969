"""Promises of `smallhold.models.elsewhere.adopting`: this file holds tests of files users name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.models.foreign_folders import HubCache, OllamaFolder, digest

from smallhold.exceptions import (
    ConfigError,
    InvalidGGUFError,
    SourceUnavailableError,
    UnsignedModelError,
)
from smallhold.models.catalog.catalog import Catalog, CatalogEntry, CatalogModel, CatalogVariant
from smallhold.models.catalog.references import FileReference, parse_reference
from smallhold.models.catalog.source_specs import FileSpec, OllamaSpec
from smallhold.models.elsewhere import AdoptionTarget, adopt_file, file_named
from smallhold.models.elsewhere.places import ForeignPlaces

if TYPE_CHECKING:
    from pathlib import Path

    from tests.models.conftest import GGUFMaker

    from smallhold.models.store.store import ModelStore

NOWHERE = ForeignPlaces()


@dataclass
class Desk:
    """Adopts files, and remembers what was added to the catalog."""

    store: ModelStore
    known: Catalog = field(default_factory=lambda: Catalog(models={}))
    added: list[CatalogModel] = field(default_factory=list[CatalogModel])
    refusal: str | None = None

    def adopt(
        self, text: str, *, alias: str | None = None, places: ForeignPlaces = NOWHERE
    ) -> CatalogEntry:
        reference = parse_reference(text)
        assert isinstance(reference, FileReference)
        return adopt_file(
            file_named(reference, places=places),
            reference=reference,
            alias=alias,
            target=AdoptionTarget(
                store=self.store,
                known=self.known,
                add_model=self.added.append,
                refusal=lambda _: self.refusal,
            ),
        )


@pytest.fixture
def desk(store: ModelStore) -> Desk:
    return Desk(store)


@pytest.fixture
def file(tmp_path: Path, gguf: GGUFMaker) -> Path:
    path = tmp_path / "My-Tiny-1B.Q4_0.gguf"
    path.write_bytes(gguf.model())
    return path


def catalog_with(content: bytes, *, alias: str = "known") -> Catalog:
    source = FileSpec(path="/nowhere")
    variant = CatalogVariant(quantization="Q4_0", sha256=digest(content), sources=(source,))
    model = CatalogModel(
        alias=alias,
        title="Known",
        family="known",
        parameter_count=1,
        licence="MIT",
        context_tokens=1,
        call_dialect="hermes",
        variants=(variant,),
    )
    return Catalog(models={alias: model})


def test_an_unknown_file_gets_a_name_made_of_its_own_and_an_entry(desk: Desk, file: Path) -> None:
    entry = desk.adopt(str(file))
    assert entry.reference == "my-tiny-1b:q4_k_m"
    assert desk.store.require(entry) == file
    (model,) = desk.added
    assert model.default == entry
    assert entry.sources == (FileSpec(path=str(file)),)


def test_the_user_may_choose_the_name(desk: Desk, file: Path) -> None:
    assert desk.adopt(str(file), alias="mine").alias == "mine"


def test_a_file_that_the_catalog_knows_keeps_the_catalogs_name(
    desk: Desk, file: Path, gguf: GGUFMaker
) -> None:
    desk.known = catalog_with(gguf.model())
    assert desk.adopt(str(file)).reference == "known:q4_0"
    assert desk.added == []
    assert desk.adopt(str(file), alias="mine").alias == "mine"
    assert [model.alias for model in desk.added] == ["mine"]


def test_a_name_of_another_file_is_taken(desk: Desk, file: Path) -> None:
    desk.known = catalog_with(b"another", alias="mine")
    with pytest.raises(ConfigError, match="--as"):
        desk.adopt(str(file), alias="mine")
    assert desk.store.installed() == ()


def test_a_model_of_ollama_is_adopted_by_its_name(
    desk: Desk, ollama: OllamaFolder, gguf: GGUFMaker
) -> None:
    blob = ollama.add(gguf.model(), name="tiny:1b")
    entry = desk.adopt("ollama:tiny:1b", places=ollama.places)
    assert desk.store.require(entry) == blob
    assert entry.alias == "tiny-1b"
    assert entry.sources == (OllamaSpec(model="tiny", tag="1b"),)


def test_a_file_of_the_hub_cache_is_adopted_by_its_name(
    desk: Desk, hub_cache: HubCache, gguf: GGUFMaker
) -> None:
    blob = hub_cache.add(gguf.model())
    entry = desk.adopt("hf:owner/tiny-GGUF/tiny.gguf", places=hub_cache.places)
    assert desk.store.require(entry) == blob


@pytest.mark.parametrize("text", ["ollama:none", "hf:a/b/c.gguf", "/nowhere/tiny.gguf"])
def test_what_is_not_there_is_said_to_be_not_there(
    desk: Desk, text: str, ollama: OllamaFolder, hub_cache: HubCache
) -> None:
    places = ForeignPlaces(hugging_face=(hub_cache.root,), ollama=(ollama.root,))
    with pytest.raises(SourceUnavailableError, match="not on this machine"):
        desk.adopt(text, places=places)


def test_an_address_is_no_file_of_this_machine(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="ollama:NAME:TAG"):
        desk.adopt("https://example.org/tiny.gguf")


def test_a_file_that_is_no_model_is_not_adopted(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "letter.gguf"
    path.write_text("Dear Ada")
    with pytest.raises(InvalidGGUFError):
        desk.adopt(str(path))
    assert desk.added == []
    assert desk.store.installed() == ()


def test_a_model_that_is_not_what_its_keeper_says_is_not_adopted(
    desk: Desk, ollama: OllamaFolder, gguf: GGUFMaker
) -> None:
    blob = ollama.add(gguf.model())
    blob.write_bytes(gguf.model()[::-1])
    with pytest.raises(SourceUnavailableError, match="its name says"):
        desk.adopt("ollama:tiny:1b", places=ollama.places)


def test_an_unknown_model_needs_a_signature_where_signatures_are_required(
    desk: Desk, file: Path
) -> None:
    desk.refusal = "it is not signed"
    with pytest.raises(UnsignedModelError, match="it is not signed"):
        desk.adopt(str(file))
    assert desk.added == []
    assert desk.store.installed() == ()
