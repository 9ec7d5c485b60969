"""Promises of `smallhold.models.own_models`: this file holds tests of files that users name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import ConfigError, SourcesExhaustedError, UnsignedModelError
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.catalog.overlays import open_catalog
from smallhold.models.catalog.references import FileReference, parse_reference
from smallhold.models.catalog.signing import SigningKey
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    SourceSpec,
)
from smallhold.models.catalog.unlisted import unlisted_model
from smallhold.models.elsewhere import ForeignPlaces
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.own_models import (
    ARRIVING,
    OwnModels,
    arriving_entry,
    beside,
    known_entry,
    pinned,
)
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.pulling.pull import PullPolicy
from smallhold.models.pulling.pull_progress import PullPhase, PullProgress
from smallhold.models.sources.protocol import Arrival, FetchJob, Source
from smallhold.models.store.store import ModelStore
from smallhold.settings import Settings

if TYPE_CHECKING:
    from tests.models.conftest import GGUFMaker

    from smallhold.models.catalog.catalog import CatalogEntry, CatalogModel

pytestmark = pytest.mark.anyio

COMMIT = "cd" * 20
HUB = "hf:owner/name/Tiny-Q4_K_M.gguf"


@dataclasses.dataclass
class Shelf:
    """A source that has given bytes, and counts how often it is asked."""

    content: bytes
    fails: bool = False
    asked: list[SourceSpec] = dataclasses.field(default_factory=list[SourceSpec])

    def __call__(self, spec: SourceSpec) -> Source:
        self.asked.append(spec)
        return _Shelved(self, spec.name)


@dataclasses.dataclass
class _Shelved:
    shelf: Shelf
    name: str

    async def fetch(self, job: FetchJob) -> Arrival:
        job.partial.restart(PartialNotes(source=self.name))
        job.partial.append(self.shelf.content)
        return Arrival(revision=COMMIT)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache")


@pytest.fixture
def own(settings: Settings) -> OwnModels:
    return OwnModels(settings=settings, store=ModelStore(settings.model_store))


@pytest.fixture
def shelf(gguf: GGUFMaker) -> Shelf:
    return Shelf(gguf.model())


def place(text: str) -> FileReference:
    reference = parse_reference(text)
    assert isinstance(reference, FileReference)
    return reference


async def fetch(
    own: OwnModels, shelf: Shelf, *, text: str = HUB, alias: str | None = None
) -> CatalogEntry:
    return await own.pull(place(text), alias=alias, open_source=shelf)


async def test_a_file_gets_a_name_its_digest_and_what_its_header_says(
    own: OwnModels, shelf: Shelf, gguf: GGUFMaker
) -> None:
    entry = await fetch(own, shelf)
    assert (entry.reference, entry.context_tokens) == ("tiny:q4_k_m", 2048)
    assert entry.sha256 == hashlib.sha256(gguf.model()).hexdigest()
    assert open_catalog(own.settings).resolve("tiny") == entry
    assert own.store.require(entry).read_bytes() == gguf.model()


async def test_a_branch_becomes_the_commit_that_answered(own: OwnModels, shelf: Shelf) -> None:
    entry = await fetch(own, shelf)
    assert entry.sources == (
        HuggingFaceSpec(repo="owner/name", file="Tiny-Q4_K_M.gguf", revision=COMMIT),
    )


async def test_only_the_name_of_the_model_is_left(own: OwnModels, shelf: Shelf) -> None:
    await fetch(own, shelf)
    assert [model.reference for model in own.store.installed()] == ["tiny:q4_k_m"]


async def test_a_place_that_is_known_is_not_asked_again(own: OwnModels, shelf: Shelf) -> None:
    first = await fetch(own, shelf)
    assert await fetch(own, shelf) == first
    assert len(shelf.asked) == 1


async def test_a_model_that_was_removed_is_fetched_again_as_it_was(
    own: OwnModels, shelf: Shelf
) -> None:
    entry = await fetch(own, shelf)
    own.store.remove(entry.reference)
    assert await fetch(own, shelf) == entry
    assert shelf.asked[1] == entry.sources[0]


async def test_the_same_place_may_have_a_second_name(own: OwnModels, shelf: Shelf) -> None:
    await fetch(own, shelf)
    entry = await fetch(own, shelf, alias="mine")
    assert entry.alias == "mine"
    assert {model.alias for model in own.store.installed()} == {"tiny", "mine"}


async def test_another_quantization_stands_beside_the_first(
    own: OwnModels, shelf: Shelf, gguf: GGUFMaker
) -> None:
    first = await fetch(own, shelf)
    q4_k_m, q8_0 = gguf.number("general.file_type", 15), gguf.number("general.file_type", 7)
    shelf.content = gguf.model().replace(q4_k_m, q8_0)
    second = await fetch(own, shelf, text="hf:owner/name/Tiny-Q8_0.gguf")
    assert second.reference == "tiny:q8_0"
    assert open_catalog(own.settings).model("tiny").entries == (first, second)


async def test_another_file_of_the_same_quantization_needs_another_name(
    own: OwnModels, shelf: Shelf, gguf: GGUFMaker
) -> None:
    await fetch(own, shelf)
    shelf.content = gguf.model(data_bytes=512)
    other = "hf:someone/else/Tiny-Q4_K_M.gguf"
    with pytest.raises(ConfigError, match="another file Q4_K_M"):
        await fetch(own, shelf, text=other)
    entry = await fetch(own, shelf, text=other, alias="other")
    assert own.store.require(entry).read_bytes() == shelf.content
    # What had arrived before the refusal was not fetched again.
    assert len(shelf.asked) == 2


async def test_a_packaged_name_is_refused_before_the_download(own: OwnModels, shelf: Shelf) -> None:
    with pytest.raises(ConfigError) as caught:
        await fetch(own, shelf, alias="smollm2-135m")
    assert caught.value.field == "--as"
    assert shelf.asked == []


async def test_where_models_must_be_signed_a_place_is_refused_before_the_download(
    own: OwnModels, shelf: Shelf
) -> None:
    key = SigningKey.generate().public.text
    strict = OwnModels(
        settings=dataclasses.replace(own.settings, catalog_keys=(key,)), store=own.store
    )
    with pytest.raises(UnsignedModelError, match="not signed"):
        await fetch(strict, shelf)
    assert shelf.asked == []


async def test_what_is_no_model_gets_no_name(own: OwnModels, shelf: Shelf) -> None:
    shelf.content = b"<html>"
    with pytest.raises(SourcesExhaustedError, match="sound GGUF"):
        await fetch(own, shelf)
    assert "tiny" not in open_catalog(own.settings)
    assert own.store.installed() == ()


async def test_progress_speaks_of_the_name_that_the_file_will_have(
    own: OwnModels, shelf: Shelf
) -> None:
    seen: list[PullProgress] = []
    await own.pull(place(HUB), alias="mine", open_source=shelf, on_progress=seen.append)
    assert {step.alias for step in seen} == {"mine"}
    assert ARRIVING not in repr(seen)
    assert seen[-1].phase is PullPhase.DONE


async def test_a_model_that_another_program_has_is_named_where_it_lies(
    tmp_path: Path, own: OwnModels, shelf: Shelf
) -> None:
    theirs = ollama_store(tmp_path / "ollama", shelf.content)
    policy = PullPolicy(places=ForeignPlaces(ollama=(tmp_path / "ollama",)))
    entry = await own.pull(place("ollama:tiny:1b"), alias=None, open_source=shelf, policy=policy)
    assert entry.reference == "tiny-1b:q4_k_m"
    assert own.store.require(entry) == theirs
    assert theirs.exists()
    assert shelf.asked == []


def ollama_store(root: Path, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    blob = root / "blobs" / f"sha256-{digest}"
    manifest = root / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "1b"
    for path in (blob, manifest):
        path.parent.mkdir(parents=True)
    blob.write_bytes(content)
    layer = {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": f"sha256:{digest}",
        "size": len(content),
    }
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [layer]}))
    return blob


def test_the_name_of_an_arriving_file_follows_from_its_place_alone() -> None:
    one, again, other = (arriving_entry(place(text)) for text in (HUB, HUB, f"{HUB}@v1"))
    assert one == again
    assert one.alias != other.alias
    assert one.alias.startswith(ARRIVING)


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf", True),
        ("hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf@v1", False),
        ("hf:someone/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf", False),
        ("/models/qwen2.5-0.5b-instruct-q4_k_m.gguf", False),
    ],
)
def test_a_file_of_the_packaged_catalog_is_known_by_its_place(text: str, *, is_known: bool) -> None:
    entry = known_entry(place(text), alias=None, catalog=load_catalog())
    assert (entry is not None) == is_known


def test_only_the_hub_s_branches_are_pinned() -> None:
    for source in (FileSpec(path="/x"), HttpsSpec(url="https://h/x"), OllamaSpec(model="x")):
        assert pinned(source, revision=COMMIT) == source
    branch = HuggingFaceSpec(repo="o/r", file="f")
    assert pinned(branch, revision=None) == branch
    assert pinned(branch, revision=COMMIT) == dataclasses.replace(branch, revision=COMMIT)


def described(path: Path, *, alias: str) -> CatalogModel:
    return unlisted_model(
        read_gguf_header(path), alias=alias, source=FileSpec(path="/x"), sha256="0" * 64
    )


def test_a_file_of_another_model_cannot_take_its_name(tmp_path: Path, gguf: GGUFMaker) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf.model())
    model = described(path, alias="smollm2-360m")
    variants = tuple(
        dataclasses.replace(variant, quantization="Q5_1") for variant in model.variants
    )
    with pytest.raises(ConfigError, match="another model"):
        beside(dataclasses.replace(model, variants=variants), catalog=load_catalog())
