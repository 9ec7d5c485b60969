"""Promises of `smallhold.models.elsewhere.huggingface_cache`: this file holds tests of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.models.foreign_folders import COMMIT, HubCache, digest

from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.elsewhere.huggingface_cache import HuggingFaceCache

CONTENT = b"weights"
SPEC = HuggingFaceSpec(repo="owner/tiny-GGUF", file="tiny.gguf")


def test_a_file_is_found_by_its_digest_in_any_repository(hub_cache: HubCache) -> None:
    hub_cache.add(b"other", repo="owner/other")
    blob = hub_cache.add(CONTENT)
    (found,) = HuggingFaceCache(hub_cache.root).with_digest(digest(CONTENT))
    assert (found.path, found.claimed_sha256) == (blob, digest(CONTENT))
    assert found.name == "huggingface:owner/tiny-GGUF"


@pytest.mark.parametrize("text", ["../refs/main", "", ".", "a" * 63])
def test_what_is_no_digest_is_not_looked_for(hub_cache: HubCache, text: str) -> None:
    hub_cache.add(CONTENT)
    assert list(HuggingFaceCache(hub_cache.root).with_digest(text)) == []


def test_a_file_is_found_by_repository_name_and_revision(hub_cache: HubCache) -> None:
    blob = hub_cache.add(CONTENT)
    cache = HuggingFaceCache(hub_cache.root)
    for revision in ("main", COMMIT):
        spec = HuggingFaceSpec(repo=SPEC.repo, file=SPEC.file, revision=revision)
        (found,) = cache.with_spec(spec)
        assert found.path == blob
        assert found.spec == HuggingFaceSpec(repo=SPEC.repo, file=SPEC.file, revision=COMMIT)
    for spec in (
        HuggingFaceSpec(repo=SPEC.repo, file=SPEC.file, revision="2" * 40),
        HuggingFaceSpec(repo=SPEC.repo, file=SPEC.file, revision="v9"),
        HuggingFaceSpec(repo=SPEC.repo, file="other.gguf"),
        HuggingFaceSpec(repo="owner/none", file=SPEC.file),
    ):
        assert list(cache.with_spec(spec)) == []


def test_a_cache_without_links_is_found_by_name_and_claims_no_digest(hub_cache: HubCache) -> None:
    blob = hub_cache.add(CONTENT)
    link = hub_cache.repository(SPEC.repo) / "snapshots" / COMMIT / SPEC.file
    blob.replace(link)
    (found,) = HuggingFaceCache(hub_cache.root).with_spec(SPEC)
    assert (found.path, found.claimed_sha256) == (link, None)


@pytest.mark.parametrize(
    "spec",
    [
        HuggingFaceSpec(repo=SPEC.repo, file="../../../../secret"),
        HuggingFaceSpec(repo=SPEC.repo, file="/etc/passwd"),
        HuggingFaceSpec(repo="../..", file="secret"),
        HuggingFaceSpec(repo=SPEC.repo, file=SPEC.file, revision="../../main"),
        HuggingFaceSpec(repo=SPEC.repo, file=SPEC.file, revision="a/../../b"),
        HuggingFaceSpec(repo=SPEC.repo, file="a\0b"),
    ],
)
def test_names_that_climb_lead_nowhere(
    hub_cache: HubCache, tmp_path: Path, spec: HuggingFaceSpec
) -> None:
    hub_cache.add(CONTENT)
    (tmp_path / "secret").write_text("secret")
    assert list(HuggingFaceCache(hub_cache.root).with_spec(spec)) == []


def test_links_that_lead_out_of_the_repository_are_not_followed(
    hub_cache: HubCache, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.gguf"
    outside.write_bytes(CONTENT)
    blob = hub_cache.add(CONTENT)
    blob.unlink()
    blob.symlink_to(outside)
    cache = HuggingFaceCache(hub_cache.root)
    assert list(cache.with_spec(SPEC)) == []
    assert list(cache.with_digest(digest(CONTENT))) == []
    assert list(cache.every_file()) == []


def test_a_repository_that_is_a_link_out_of_the_cache_is_not_followed(
    hub_cache: HubCache, tmp_path: Path
) -> None:
    hub_cache.add(CONTENT)
    folder = hub_cache.repository(SPEC.repo)
    folder.rename(tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    cache = HuggingFaceCache(hub_cache.root)
    assert list(cache.every_file()) == []
    assert list(cache.with_spec(SPEC)) == []


@pytest.mark.parametrize("text", [b"", b"not a commit", b"\xff" * 40, b"1" * 1_000_000])
def test_a_reference_that_makes_no_sense_leads_nowhere(hub_cache: HubCache, text: bytes) -> None:
    hub_cache.add(CONTENT)
    (hub_cache.repository(SPEC.repo) / "refs" / "main").write_bytes(text)
    assert list(HuggingFaceCache(hub_cache.root).with_spec(SPEC)) == []


def test_every_gguf_file_is_listed_once_with_where_it_came_from(hub_cache: HubCache) -> None:
    hub_cache.add(CONTENT)
    hub_cache.add(b"large", file="large/large.gguf")
    hub_cache.add(b"{}", file="config.json")
    again = hub_cache.repository(SPEC.repo) / "snapshots" / ("2" * 40)
    again.mkdir()
    (again / "tiny.gguf").symlink_to(f"../../blobs/{digest(CONTENT)}")
    files = list(HuggingFaceCache(hub_cache.root).every_file())
    assert [file.name for file in files] == [
        "huggingface:owner/tiny-GGUF/large/large.gguf",
        "huggingface:owner/tiny-GGUF/tiny.gguf",
    ]
    assert {file.spec.revision for file in files if isinstance(file.spec, HuggingFaceSpec)} == {
        COMMIT
    }


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert list(HuggingFaceCache(tmp_path / "none").every_file()) == []
