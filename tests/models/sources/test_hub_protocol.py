"""Promises of `smallhold.models.sources.hub_protocol`: this file holds tests of its decisions."""

from __future__ import annotations

import httpx2
import pytest

from smallhold.models.sources.http_protocol import RemoteFile
from smallhold.models.sources.hub_protocol import describe_file, other_commit

URL = httpx2.URL("http://127.0.0.1/x")
SHA256 = "ab" * 32
COMMIT = "cd" * 20


def test_the_announced_etag_of_a_large_file_is_its_digest() -> None:
    answer = httpx2.Headers({"x-linked-etag": f'"{SHA256}"', "x-linked-size": "12"})
    file = describe_file(answer, url=URL, headers={})
    assert (file.sha256, file.version, file.size_bytes) == (SHA256, SHA256, 12)


@pytest.mark.parametrize("etag", ['"abc"', "", f'"{"g" * 64}"', f"{SHA256}0", "../../x"])
def test_an_etag_that_is_no_digest_is_not_taken_for_one(etag: str) -> None:
    assert describe_file({"X-Linked-Etag": etag}, url=URL, headers={}).sha256 is None


@pytest.mark.parametrize("size", ["", "-1", "many", "9" * 30])
def test_a_size_that_is_no_number_is_unknown(size: str) -> None:
    assert describe_file({"X-Linked-Size": size}, url=URL, headers={}).size_bytes is None


@pytest.mark.parametrize(
    ("header", "revision"), [(COMMIT, COMMIT), ("main", None), ("", None), (COMMIT[1:], None)]
)
def test_the_commit_that_answered_is_known(header: str, revision: str | None) -> None:
    assert describe_file({"X-Repo-Commit": header}, url=URL, headers={}).revision == revision


@pytest.mark.parametrize(
    ("asked", "answered", "other"),
    [
        (COMMIT, COMMIT, None),
        (COMMIT, "ef" * 20, "ef" * 20),
        (COMMIT, None, None),
        ("main", COMMIT, None),
    ],
)
def test_a_pinned_commit_may_not_be_answered_by_another(
    asked: str, answered: str | None, other: str | None
) -> None:
    remote = RemoteFile(url=URL, headers={}, revision=answered)
    assert other_commit(asked, remote) == other
