"""What the Hugging Face hub's headers mean: this file holds the pure decisions on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import httpx2
from huggingface_hub.constants import (
    HUGGINGFACE_HEADER_X_LINKED_ETAG,
    HUGGINGFACE_HEADER_X_LINKED_SIZE,
    HUGGINGFACE_HEADER_X_REPO_COMMIT,
)

from smallhold.models.sources.http_protocol import NUMBER, SHA256, RemoteFile

HUB_REFUSALS: Final[Mapping[int, str]] = MappingProxyType({
    401: "it is not public or does not exist (HTTP 401): log in with `hf auth login`",
    403: "this account may not read it (HTTP 403): accept its licence on the hub",
    404: "the hub has no such file (HTTP 404)",
})

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def describe_file(
    answer: Mapping[str, str], *, url: httpx2.URL, headers: Mapping[str, str]
) -> RemoteFile:
    """Read the hub's answer to HEAD.

    For a large file the hub redirects and names the stored object: `X-Linked-Etag` is its sha256.
    """
    linked = answer.get(HUGGINGFACE_HEADER_X_LINKED_ETAG, "").removeprefix("W/").strip('"')
    size = answer.get(HUGGINGFACE_HEADER_X_LINKED_SIZE, "")
    commit = answer.get(HUGGINGFACE_HEADER_X_REPO_COMMIT, "")
    return RemoteFile(
        url=url,
        headers=headers,
        sha256=linked if SHA256.fullmatch(linked) else None,
        version=linked or None,
        size_bytes=int(size) if NUMBER.fullmatch(size) else None,
        revision=commit if _COMMIT.fullmatch(commit) else None,
    )


def other_commit(revision: str, remote: RemoteFile) -> str | None:
    """Say which commit answered in place of the one that was asked for, if another one did."""
    is_pinned = _COMMIT.fullmatch(revision) is not None
    return remote.revision if is_pinned and remote.revision not in {None, revision} else None
