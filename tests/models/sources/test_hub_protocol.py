"""Promises of `smallhold.models.sources.hub_protocol`: this file holds tests of its decisions."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.partial_file import PartialNotes
from smallhold.models.sources.hub_protocol import (
    BadAnswerError,
    RangeRefusedError,
    RemoteFile,
    describe_file,
    headers_after_redirect,
    refusal,
    resume_point,
    start_of_body,
)

URL = httpx2.URL("http://127.0.0.1/x")
SHA256 = "ab" * 32


def remote(*, version: str | None = None, size_bytes: int | None = None) -> RemoteFile:
    sha256 = version if version is not None and len(version) == 64 else None
    return RemoteFile(url=URL, headers={}, sha256=sha256, version=version, size_bytes=size_bytes)


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


NOTES = PartialNotes(source="hub", etag="v1")


@pytest.mark.parametrize(
    ("notes", "file", "sha256", "point"),
    [
        (None, remote(), SHA256, 0),
        (NOTES, remote(version="v1"), None, 7),
        (NOTES, remote(version="v2"), None, 0),
        (NOTES, remote(), None, 7),
        (PartialNotes(source="hub"), remote(), None, 0),
        (PartialNotes(source="other", etag="v1"), remote(version="v1"), None, 0),
        (PartialNotes(source="other"), remote(version=SHA256), SHA256, 7),
        (NOTES, remote(version="v1", size_bytes=6), None, 0),
    ],
    ids=[
        "nothing arrived",
        "same version",
        "other version",
        "version asked for with If-Range",
        "unknown version",
        "another source without a digest",
        "another source with the digest",
        "more than there is",
    ],
)
def test_what_arrived_is_used_when_it_belongs_to_the_same_bytes(
    notes: PartialNotes | None, file: RemoteFile, sha256: str | None, point: int
) -> None:
    assert resume_point(notes, file, source="hub", size_bytes=7, sha256=sha256) == point


def test_a_whole_answer_begins_at_the_beginning() -> None:
    assert start_of_body(200, {"content-length": "9"}, offset=5, size_bytes=None) == (0, 9)


def test_a_partial_answer_begins_where_it_was_asked_for() -> None:
    answer = {"content-range": "bytes 5-8/9"}
    assert start_of_body(206, answer, offset=5, size_bytes=9) == (5, 9)


@pytest.mark.parametrize("value", ["", "bytes 4-8/9", "bytes 5-8", "items 5-8/9", "bytes */9"])
def test_another_range_than_asked_for_is_refused(value: str) -> None:
    with pytest.raises(RangeRefusedError):
        start_of_body(206, {"content-range": value}, offset=5, size_bytes=9)


def test_a_length_that_contradicts_the_catalog_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="8 bytes instead of 9"):
        start_of_body(200, {"content-length": "8"}, offset=0, size_bytes=9)


def test_a_compressed_answer_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="compressed"):
        start_of_body(200, {"content-encoding": "gzip"}, offset=0, size_bytes=9)


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["content-range", "content-length", "content-encoding"]), st.text()
    ),
    st.integers(0, 100),
)
def test_any_answer_begins_at_the_offset_or_the_beginning_or_is_refused(
    status: int, answer: dict[str, str], offset: int
) -> None:
    try:
        start, total_bytes = start_of_body(status, answer, offset=offset, size_bytes=None)
    except BadAnswerError:
        return
    assert start in {0, offset}
    assert total_bytes is None or total_bytes >= 0


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_passing_failure_asks_for_another_attempt(status: int) -> None:
    with pytest.raises(BadAnswerError):
        refusal(status)


@pytest.mark.parametrize(("status", "words"), [(401, "log in"), (403, "licence"), (410, "410")])
def test_a_final_failure_says_what_to_do(status: int, words: str) -> None:
    reason = refusal(status)
    assert reason is not None
    assert words in reason


def test_a_good_status_is_no_refusal() -> None:
    assert refusal(206) is None


@given(st.sampled_from(["authorization", "Authorization", "COOKIE", "Proxy-Authorization"]))
def test_no_credential_follows_to_another_origin(name: str) -> None:
    headers = {name: "secret", "user-agent": "x"}
    assert headers_after_redirect(headers, is_same_origin=False) == {"user-agent": "x"}
    assert headers_after_redirect(headers, is_same_origin=True) == headers
