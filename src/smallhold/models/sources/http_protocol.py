"""What HTTP's answers mean for a download: this file holds those pure decisions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Final

import httpx2

from smallhold.models.pulling.byte_spans import Span, Spans
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.sources.protocol import FetchJob

SHA256: Final = re.compile(r"[0-9a-f]{64}")
NUMBER: Final = re.compile(r"\d{1,19}")

_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_OK: Final = 200
_PARTIAL_CONTENT: Final = 206
_ERRORS: Final = 400
_REQUEST_TIMEOUT: Final = 408
_RANGE_NOT_SATISFIABLE: Final = 416
_TOO_EARLY: Final = 425
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = 500
_UNAVAILABLE: Final = 503
_WORTH_RETRYING: Final = frozenset({_REQUEST_TIMEOUT, _TOO_EARLY, _TOO_MANY_REQUESTS})
_OVERLOADED: Final = frozenset({_TOO_MANY_REQUESTS, _UNAVAILABLE})
_NO_WORDS: Final[Mapping[int, str]] = MappingProxyType({})


class BadAnswerError(Exception):
    """An answer that another attempt may do better; never leaves the adapter."""

    def __init__(
        self, problem: str, *, retry_after_s: float | None = None, is_overload: bool = False
    ) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s
        """How long the server asks to wait."""
        self.is_overload = is_overload
        """Whether fewer requests at once would have helped."""


class RangeRefusedError(BadAnswerError):
    """The server does not answer with the bytes that were asked for."""


class FileChangedError(RangeRefusedError):
    """The bytes that arrived earlier do not go together with the file as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """What a server says about a file before it is fetched."""

    url: httpx2.URL
    headers: Mapping[str, str]
    """Headers to ask for it with; they may hold the user's token."""
    sha256: str | None = None
    """Digest, where the server announces it."""
    version: str | None = None
    """The server's name for these very bytes, if it gives one."""
    size_bytes: int | None = None
    revision: str | None = None
    """What a branch or tag stood for at this moment, such as a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Which bytes of the file an answer brings."""

    start: int
    end: int | None
    """`None` where only the end of the answer will tell."""
    total_bytes: int | None
    is_whole: bool
    """Whether the answer is the whole file from its beginning, asked for or not."""


def goes_on(
    notes: PartialNotes | None, spans: Spans, *, source: str, job: FetchJob, remote: RemoteFile
) -> bool:
    """Decide whether to go on with what arrived, or to begin again.

    Bytes of another source are good enough where the digest pins the content, since the whole is
    hashed at the end; otherwise they must be of the same version by the server's own word.

    Args:
        notes: What is noted on the bytes that arrived.
        spans: Which they are.
        source: Name of the source that is asked now.
        job: What is wanted.
        remote: What the source says of it.
    """
    total_bytes = job.size_bytes or remote.size_bytes
    if notes is None or not spans or (total_bytes is not None and spans[-1][1] > total_bytes):
        return False
    if job.sha256 is not None:
        return True
    if notes.source != source or notes.etag is None:
        return False
    return remote.version in {None, notes.etag}


def read_body(
    status: int, answer: Mapping[str, str], *, asked: Span | None, total_bytes: int | None
) -> Body:
    """Read from the answer to GET which bytes its body brings.

    Args:
        status: HTTP status.
        answer: Headers of the answer.
        asked: The range that was asked for; `None` for the whole file. Its end may lie behind the
            end of the file.
        total_bytes: How long the file is, where that is known.

    Raises:
        BadAnswerError: The body is not what was asked for.
    """
    if answer.get("content-encoding", "identity") != "identity":
        msg = "it came compressed though this was ruled out"
        raise BadAnswerError(msg)
    length = _number(answer.get("content-length", ""))
    if status == _OK:
        total_bytes = _agreed(length, total_bytes)
        return Body(start=0, end=total_bytes, total_bytes=total_bytes, is_whole=True)
    match = _CONTENT_RANGE.fullmatch(answer.get("content-range", ""))
    if status != _PARTIAL_CONTENT or match is None or asked is None:
        msg = f"the answer (HTTP {status}) is not the range that was asked for"
        raise RangeRefusedError(msg)
    start, end = int(match[1]), int(match[2]) + 1
    total_bytes = _agreed(_number(match[3]), total_bytes)
    is_asked = start == asked[0] < end <= asked[1] and end <= (total_bytes or end)
    if not is_asked or length not in {None, end - start}:
        msg = f"the answer brings bytes {start:,} to {end:,}, which were not asked for"
        raise RangeRefusedError(msg)
    return Body(start=start, end=end, total_bytes=total_bytes, is_whole=False)


def refusal(
    status: int, answer: Mapping[str, str], *, words: Mapping[int, str] = _NO_WORDS, now: datetime
) -> str | None:
    """Say why an answer is final, or `None` when it can be used.

    Args:
        status: HTTP status.
        answer: Headers of the answer.
        words: What a status means at this source.
        now: The time, to compare a date in `Retry-After` with.

    Raises:
        BadAnswerError: The answer asks for another attempt.
    """
    if status < _ERRORS:
        if answer.get("content-type", "").lower().startswith("text/html"):
            # Error pages and the log-in pages of networks come with status 200.
            return "the server answered with a web page instead of the file"
        return None
    if status == _RANGE_NOT_SATISFIABLE:
        msg = "the server has no bytes after those that arrived (HTTP 416)"
        raise RangeRefusedError(msg)
    if status in _WORTH_RETRYING or status >= _SERVER_ERRORS:
        msg = f"the server answered HTTP {status}"
        raise BadAnswerError(
            msg,
            retry_after_s=retry_after_s(answer.get("retry-after", ""), now=now),
            is_overload=status in _OVERLOADED,
        )
    return words.get(status, f"the server answered HTTP {status}")


def retry_after_s(value: str, *, now: datetime) -> float | None:
    """Read the header `Retry-After`: seconds, or a date. Source: RFC 9110, section 10.2.3."""
    if NUMBER.fullmatch(value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is one of Greenwich. Source: RFC 9110, section 5.6.7.
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())


def strong_etag(answer: Mapping[str, str]) -> str | None:
    """The answer's entity tag, if equal tags mean equal bytes. Source: RFC 9110, section 8.8.1."""
    etag = answer.get("etag")
    return None if not etag or etag.startswith("W/") else etag


def range_header(asked: Span, *, is_open: bool) -> str:
    """Ask for a range; an open one goes on to the end of the file, wherever that is."""
    return f"bytes={asked[0]}-" if is_open else f"bytes={asked[0]}-{asked[1] - 1}"


def _number(text: str) -> int | None:
    return int(text) if NUMBER.fullmatch(text) else None


def _agreed(announced_bytes: int | None, known_bytes: int | None) -> int | None:
    if announced_bytes is not None and known_bytes not in {None, announced_bytes}:
        msg = f"the answer has {announced_bytes:,} bytes instead of {known_bytes:,}"
        raise BadAnswerError(msg)
    return known_bytes if announced_bytes is None else announced_bytes
