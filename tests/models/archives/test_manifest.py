"""Promises of `smallhold.models.archives.manifest`: this file holds tests of its reading."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.archives.conftest import model, variant

from smallhold.exceptions import InvalidArchiveError
from smallhold.models.archives.manifest import ArchivedFile, Manifest, read_manifest
from smallhold.models.catalog.catalog import CatalogModel

CONTENTS = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), st.binary(min_size=1), min_size=1
)


def archived(made: CatalogModel) -> ArchivedFile:
    entry = made.default
    assert entry.sha256
    assert entry.size_bytes
    return ArchivedFile(model=made, entry=entry, sha256=entry.sha256, size_bytes=entry.size_bytes)


def manifest_of(contents: dict[str, bytes]) -> Manifest:
    files = (archived(model(alias, variant(content))) for alias, content in contents.items())
    return Manifest(files=tuple(files))


def document() -> dict[str, Any]:
    return json.loads(manifest_of({"tiny": b"weights"}).to_bytes())


@given(CONTENTS)
def test_a_manifest_says_again_what_was_written(contents: dict[str, bytes]) -> None:
    manifest = manifest_of(contents)
    assert read_manifest(manifest.to_bytes(), path="a.tar") == manifest


def test_one_file_of_two_models_is_one_member() -> None:
    manifest = manifest_of({"a": b"same", "b": b"same", "c": b"other"})
    assert len(manifest.files) == 3
    assert len(manifest.members) == 2


def test_a_file_that_no_catalog_knew_is_known_by_its_archive() -> None:
    made = model("tiny", variant(b"weights"))
    entry = made.default
    digest = hashlib.sha256(b"learnt").hexdigest()
    file = ArchivedFile(model=made, entry=entry, sha256=digest, size_bytes=6)
    assert (file.known_entry.sha256, file.known_entry.size_bytes) == (digest, 6)


def changed(**changes: Any) -> dict[str, Any]:
    return document() | changes


def with_file(**changes: Any) -> dict[str, Any]:
    return changed(files=[document()["files"][0] | changes])


@pytest.mark.parametrize(
    "text",
    [
        [],
        {},
        changed(version=2),
        changed(format="other"),
        changed(extra=1),
        changed(files=[]),
        changed(files=document()["files"] * 2),
        changed(catalog={}),
        changed(catalog={"version": 2, "models": {}}),
        changed(catalog={"version": 2, "models": {"../x": {}}}),
        changed(catalog={"version": 2, "models": {"tiny": {"title": "no more"}}}),
        with_file(reference="tiny:q8_0"),
        with_file(reference="../../etc/passwd"),
        with_file(reference="x" * 1000),
        with_file(sha256="b" * 64),
        with_file(sha256="../../../etc/passwd"),
        with_file(sha256="A" * 64),
        with_file(size_bytes=0),
        with_file(size_bytes=-1),
        with_file(size_bytes=8),
        with_file(size_bytes=1 << 60),
        with_file(size_bytes="7"),
        with_file(path="/etc/passwd"),
    ],
)
def test_a_manifest_that_does_not_agree_with_itself_is_refused(text: Any) -> None:
    with pytest.raises(InvalidArchiveError, match=r"a\.tar cannot be imported"):
        read_manifest(json.dumps(text).encode(), path="a.tar")


@given(st.binary() | st.recursive(st.text() | st.none(), st.lists).map(json.dumps).map(str.encode))
def test_no_text_whatever_is_anything_but_refused(text: bytes) -> None:
    with pytest.raises(InvalidArchiveError):
        read_manifest(text, path="a.tar")


def test_deep_nesting_is_refused() -> None:
    deep = json.dumps(changed(catalog={"models": "HERE"}))
    for text in (b"[" * 100_000, deep.replace('"HERE"', "[" * 500 + "]" * 500).encode()):
        with pytest.raises(InvalidArchiveError):
            read_manifest(text, path="a.tar")
