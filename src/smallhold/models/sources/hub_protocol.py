"""What the hub's headers mean: this file holds the pure decisions of a download over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2
from huggingface_hub.constants import (
    HUGGINGFACE_HEADER_X_LINKED_ETAG,
    HUGGINGFACE_HEADER_X_LINKED_SIZE,
)

from smallhold.models.partial_file import PartialNotes

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_NUMBER: Final = re.compile(r"\d{1,19}")
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})

_OK: Final = 200
_PARTIAL_CONTENT: Final = 206
_ERRORS: Final = 400
_RANGE_NOT_SATISFIABLE: Final = 416
_SERVER_ERRORS: Final = 500
_WORTH_RETRYING: Final = frozenset({408, 425, 429})
_REFUSALS: Final = {
    401: "it is not public or does not exist (HTTP 401): log in with `hf auth login`",
    403: "this account may not read it (HTTP 403): accept its licence on the hub",
    404: "the hub has no such file (HTTP 404)",
}


class BadAnswerError(Exception):
    """An answer that another attempt may do better; never leaves the adapter."""


class RangeRefusedError(BadAnswerError):
    """The bytes that arrived earlier do not go together with the file as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """What the hub says about a file before it is fetched."""

    url: httpx2.URL
    headers: Mapping[str, str]
    """Headers to ask for it with; they may hold the user's token."""
    sha256: str | None = None
    """Digest, which the hub announces for large files."""
    version: str | None = None
    """The hub's name for these very bytes, if it gives one."""
    size_bytes: int | None = None


def describe_file(
    answer: Mapping[str, str], *, url: httpx2.URL, headers: Mapping[str, str]
) -> RemoteFile:
    """Read the hub's answer to HEAD.

    For a large file the hub redirects and names the stored object: `X-Linked-Etag` is its sha256.
    """
    linked = answer.get(HUGGINGFACE_HEADER_X_LINKED_ETAG, "").removeprefix("W/").strip('"')
    size = answer.get(HUGGINGFACE_HEADER_X_LINKED_SIZE, "")
    return RemoteFile(
        url=url,
        headers=headers,
        sha256=linked if _SHA256.fullmatch(linked) else None,
        version=linked or None,
        size_bytes=int(size) if _NUMBER.fullmatch(size) else None,
    )


def resume_point(
    notes: PartialNotes | None,
    remote: RemoteFile,
    *,
    source: str,
    size_bytes: int,
    sha256: str | None,
) -> int:
    """Decide from which byte to go on: the end of what arrived, or the beginning.

    Bytes of another source are good enough where the digest pins the content, since the whole is
    hashed at the end; otherwise they must be of the same version by the hub's own word.
    """
    if notes is None or (remote.size_bytes is not None and size_bytes > remote.size_bytes):
        return 0
    if sha256 is not None:
        return size_bytes
    if notes.source != source or notes.etag is None:
        return 0
    return size_bytes if remote.version in {None, notes.etag} else 0


def start_of_body(
    status: int, answer: Mapping[str, str], *, offset: int, size_bytes: int | None
) -> tuple[int, int | None]:
    """Read from the answer to GET at which byte its body begins and how long the file is.

    Raises:
        BadAnswerError: The body is not what was asked for.
    """
    if answer.get("content-encoding", "identity") != "identity":
        msg = "it came compressed though this was ruled out"
        raise BadAnswerError(msg)
    if status == _OK:
        length = answer.get("content-length", "")
        return 0, _agreed(int(length) if _NUMBER.fullmatch(length) else None, size_bytes)
    match = _CONTENT_RANGE.fullmatch(answer.get("content-range", ""))
    if status != _PARTIAL_CONTENT or match is None or int(match[1]) != offset:
        msg = f"the answer (HTTP {status}) is not the range that was asked for"
        raise RangeRefusedError(msg)
    return offset, _agreed(int(match[3]) if match[3] != "*" else None, size_bytes)


def refusal(status: int) -> str | None:
    """Say why a status is final, or `None` when the answer can be used.

    Raises:
        BadAnswerError: The status asks for another attempt.
    """
    if status < _ERRORS:
        return None
    if status == _RANGE_NOT_SATISFIABLE:
        msg = "the server has no bytes after those that arrived (HTTP 416)"
        raise RangeRefusedError(msg)
    if status in _WORTH_RETRYING or status >= _SERVER_ERRORS:
        msg = f"the server answered HTTP {status}"
        raise BadAnswerError(msg)
    return _REFUSALS.get(status, f"the server answered HTTP {status}")


def headers_after_redirect(
    headers: Mapping[str, str], *, is_same_origin: bool
) -> Mapping[str, str]:
    """Headers for the next hop: no credential ever follows to another origin."""
    if is_same_origin:
        return headers
    return {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}


def _agreed(announced_bytes: int | None, known_bytes: int | None) -> int | None:
    if announced_bytes is not None and known_bytes not in {None, announced_bytes}:
        msg = f"the answer has {announced_bytes:,} bytes instead of {known_bytes:,}"
        raise BadAnswerError(msg)
    return known_bytes if announced_bytes is None else announced_bytes
