"""Promises of `smallhold.models.sources.http_protocol`: this file holds tests of its decisions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.pulling.byte_spans import Span
from smallhold.models.pulling.partial_file import PartialFile, PartialNotes
from smallhold.models.sources.http_protocol import (
    BadAnswerError,
    Body,
    RangeRefusedError,
    RemoteFile,
    goes_on,
    range_header,
    read_body,
    refusal,
    retry_after_s,
    strong_etag,
)
from smallhold.models.sources.protocol import FetchJob

URL = httpx2.URL("http://127.0.0.1/x")
SHA256 = "ab" * 32
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOTES = PartialNotes(source="hub", etag="v1")


def remote(*, version: str | None = None, size_bytes: int | None = None) -> RemoteFile:
    return RemoteFile(url=URL, headers={}, version=version, size_bytes=size_bytes)


def job(*, sha256: str | None = None, size_bytes: int | None = None) -> FetchJob:
    return FetchJob(
        partial=PartialFile(Path("/nowhere")),
        size_bytes=size_bytes,
        sha256=sha256,
        report=lambda _, __: None,
        require_room=lambda _: None,
    )


@pytest.mark.parametrize(
    ("notes", "file", "wanted", "used"),
    [
        (None, remote(), job(sha256=SHA256), "nothing"),
        (NOTES, remote(version="v1"), job(), "all"),
        (NOTES, remote(version="v2"), job(), "nothing"),
        (NOTES, remote(), job(), "all"),
        (PartialNotes(source="hub"), remote(), job(), "nothing"),
        (PartialNotes(source="other", etag="v1"), remote(version="v1"), job(), "nothing"),
        (PartialNotes(source="other"), remote(version=SHA256), job(sha256=SHA256), "all"),
        (NOTES, remote(version="v1", size_bytes=6), job(), "nothing"),
        (NOTES, remote(), job(sha256=SHA256, size_bytes=6), "nothing"),
    ],
    ids=[
        "nothing noted",
        "same version",
        "other version",
        "version asked for with If-Range",
        "unknown version",
        "another source without a digest",
        "another source with the digest",
        "more than there is",
        "more than the catalog says",
    ],
)
def test_what_arrived_is_used_when_it_belongs_to_the_same_bytes(
    notes: PartialNotes | None, file: RemoteFile, wanted: FetchJob, used: str
) -> None:
    is_used = goes_on(notes, ((0, 2), (5, 7)), source="hub", job=wanted, remote=file)
    assert is_used == (used == "all")


def test_where_nothing_arrived_nothing_is_used() -> None:
    assert not goes_on(NOTES, (), source="hub", job=job(sha256=SHA256), remote=remote())


def test_a_whole_answer_begins_at_the_beginning() -> None:
    body = read_body(200, {"content-length": "9"}, asked=(5, 9), total_bytes=None)
    assert body == Body(start=0, end=9, total_bytes=9, is_whole=True)


def test_a_partial_answer_begins_where_it_was_asked_for() -> None:
    body = read_body(206, {"content-range": "bytes 5-8/9"}, asked=(5, 20), total_bytes=None)
    assert body == Body(start=5, end=9, total_bytes=9, is_whole=False)


@pytest.mark.parametrize(
    "value",
    [
        "", "bytes 4-8/9", "bytes 5-8", "items 5-8/9", "bytes */9", "bytes 5-9/9", "bytes 6-8/9",
        "bytes 5-4/9",
    ],
)  # fmt: skip
def test_another_range_than_asked_for_is_refused(value: str) -> None:
    with pytest.raises(RangeRefusedError):
        read_body(206, {"content-range": value}, asked=(5, 9), total_bytes=9)


def test_a_range_of_another_length_than_its_body_is_refused() -> None:
    answer = {"content-range": "bytes 5-8/9", "content-length": "3"}
    with pytest.raises(RangeRefusedError):
        read_body(206, answer, asked=(5, 9), total_bytes=9)


def test_a_range_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(RangeRefusedError):
        read_body(206, {"content-range": "bytes 0-8/9"}, asked=None, total_bytes=9)


@pytest.mark.parametrize(
    ("status", "answer"), [(200, {"content-length": "8"}), (206, {"content-range": "bytes 0-7/8"})]
)
def test_a_length_that_contradicts_the_catalog_is_refused(
    status: int, answer: dict[str, str]
) -> None:
    with pytest.raises(BadAnswerError, match="8 bytes instead of 9"):
        read_body(status, answer, asked=(0, 9), total_bytes=9)


def test_a_compressed_answer_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="compressed"):
        read_body(200, {"content-encoding": "gzip"}, asked=None, total_bytes=9)


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["content-range", "content-length", "content-encoding"]), st.text()
    ),
    st.none() | st.tuples(st.integers(0, 50), st.integers(51, 100)),
)
def test_any_answer_is_within_what_was_asked_for_or_the_whole_or_refused(
    status: int, answer: dict[str, str], asked: Span | None
) -> None:
    try:
        body = read_body(status, answer, asked=asked, total_bytes=None)
    except BadAnswerError:
        return
    if body.is_whole:
        assert body.start == 0
    else:
        assert asked is not None
        assert body.end is not None
        assert asked[0] == body.start < body.end <= asked[1]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_passing_failure_asks_for_another_attempt(status: int) -> None:
    with pytest.raises(BadAnswerError) as caught:
        refusal(status, {"retry-after": "7"}, now=NOW)
    assert caught.value.retry_after_s == 7
    assert caught.value.is_overload == (status in {429, 503})


def test_a_final_failure_says_what_it_means_here() -> None:
    assert refusal(403, {}, words={403: "accept the licence"}, now=NOW) == "accept the licence"
    assert "410" in (refusal(410, {}, now=NOW) or "")


def test_a_web_page_is_no_file_whatever_its_status_says() -> None:
    assert "web page" in (refusal(200, {"content-type": "Text/HTML; charset=x"}, now=NOW) or "")


def test_a_good_status_is_no_refusal() -> None:
    assert refusal(206, {"content-type": "application/octet-stream"}, now=NOW) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Fri, 02 Jan 2026 03:04:35 GMT", 30.0),
        ("Fri, 02 Jan 2026 03:04:35 -0000", 30.0),
        ("Fri, 02 Jan 2026 03:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_a_server_may_ask_for_seconds_or_until_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, now=NOW) == seconds


@given(st.text())
def test_any_wish_to_wait_is_a_time_or_none(value: str) -> None:
    seconds = retry_after_s(value, now=NOW)
    assert seconds is None or seconds >= 0


def test_a_weak_tag_does_not_promise_equal_bytes() -> None:
    assert strong_etag({"etag": 'W/"1"'}) is None
    assert strong_etag({}) is None
    assert strong_etag({"etag": '"1"'}) == '"1"'


def test_a_range_names_its_last_byte_unless_it_goes_to_the_end() -> None:
    assert range_header((5, 9), is_open=False) == "bytes=5-8"
    assert range_header((5, 9), is_open=True) == "bytes=5-"
