"""Promises of `smallhold.models.elsewhere.ollama_store`: this file holds tests of its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.models.foreign_folders import WEIGHTS, OllamaFolder, digest

from smallhold.models.catalog.source_specs import OllamaSpec
from smallhold.models.elsewhere.ollama_store import OllamaStore

CONTENT = b"weights"


def test_weights_are_found_by_their_digest(ollama: OllamaFolder) -> None:
    blob = ollama.add(CONTENT)
    store = OllamaStore(ollama.root)
    (found,) = store.with_digest(digest(CONTENT))
    assert (found.path, found.size_bytes) == (blob, len(CONTENT))
    assert found.claimed_sha256 == digest(CONTENT)
    assert list(store.with_digest("b" * 64)) == []


def test_weights_are_found_by_name_and_tag(ollama: OllamaFolder) -> None:
    blob = ollama.add(CONTENT, name="someone/tiny:1b-q4_0")
    store = OllamaStore(ollama.root)
    (found,) = store.with_spec(OllamaSpec(model="someone/tiny", tag="1b-q4_0"))
    assert found.path == blob
    assert list(store.with_spec(OllamaSpec(model="tiny", tag="1b-q4_0"))) == []


@pytest.mark.parametrize("name", ["..", "../../x", "a/b/c", "a\0b", ""])
def test_a_name_that_is_no_name_leads_nowhere(ollama: OllamaFolder, name: str) -> None:
    ollama.add(CONTENT)
    store = OllamaStore(ollama.root)
    assert list(store.with_spec(OllamaSpec(model=name, tag="1b"))) == []
    assert list(store.with_spec(OllamaSpec(model="tiny", tag=name))) == []
    assert list(store.with_spec(OllamaSpec(model="tiny", registry=f"https://{name}"))) == []


def test_every_model_is_listed_once_under_the_name_that_users_type(ollama: OllamaFolder) -> None:
    ollama.add(CONTENT, name="tiny:1b")
    ollama.add(CONTENT, name="tiny:latest")
    ollama.add(b"other", name="someone/other:2b")
    ollama.add(b"third", name="third:3b", host="registry.example.org")
    assert [file.name for file in OllamaStore(ollama.root).every_file()] == [
        "ollama:registry.example.org/third:3b",
        "ollama:tiny:1b",
        "ollama:someone/other:2b",
    ]


def test_a_model_of_another_size_than_its_manifest_says_is_passed_over(
    ollama: OllamaFolder,
) -> None:
    ollama.add(CONTENT).write_bytes(b"cut")
    assert list(OllamaStore(ollama.root).every_file()) == []


def test_weights_that_are_a_link_out_of_the_store_are_passed_over(
    ollama: OllamaFolder, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(CONTENT)
    blob = ollama.add(CONTENT)
    blob.unlink()
    blob.symlink_to(outside)
    store = OllamaStore(ollama.root)
    assert list(store.every_file()) == []
    assert list(store.with_digest(digest(CONTENT))) == []


def test_a_manifest_that_is_a_link_out_of_the_store_is_not_read(
    ollama: OllamaFolder, tmp_path: Path
) -> None:
    ollama.add(CONTENT)
    path = ollama.manifest_path("tiny:1b")
    path.rename(tmp_path / "manifest")
    path.symlink_to(tmp_path / "manifest")
    assert list(OllamaStore(ollama.root).every_file()) == []


@pytest.mark.parametrize(
    "text",
    [
        b"not json",
        b"\0" * 1_000_000,
        json.dumps({
            "layers": [{"mediaType": WEIGHTS, "digest": "sha256:../../../../etc/passwd", "size": 1}]
        }).encode(),
    ],
)
def test_one_bad_manifest_hides_no_other_model(ollama: OllamaFolder, text: bytes) -> None:
    ollama.write_manifest(text, name="bad:1b")
    ollama.add(CONTENT)
    assert [file.name for file in OllamaStore(ollama.root).every_file()] == ["ollama:tiny:1b"]


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    store = OllamaStore(tmp_path / "none")
    assert list(store.every_file()) == []
    assert list(store.with_digest("a" * 64)) == []
