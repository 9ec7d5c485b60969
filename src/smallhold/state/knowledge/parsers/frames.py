"""Between a service and the process that parses for it: this file holds their messages.

A request is a JSON header followed by the file's bytes; a reply is JSON alone. Both are preceded by
their length. Neither side trusts the lengths that the other claims.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from smallhold.state.knowledge.document import Block, BlockKind, Document
from smallhold.state.knowledge.formats import DocumentFormat
from smallhold.state.knowledge.parsers.limits import ParsingLimits

LENGTHS: Final = struct.Struct("<IQ")
"""Bytes of a request's header and of its file."""
REPLY_LENGTH: Final = struct.Struct("<Q")
HEADER_MAX_BYTES: Final = 1 << 20
_BYTES_OF_CHAR: Final = 8
"""A character takes up to 4 bytes in UTF-8 and up to 6 as a JSON escape; the rest is for blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is no document."""

    problem: str
    remedy: str
    field: str | None = None
    """The limit that was exceeded, `None` for another reason."""
    actual: str = ""
    limit: str = ""


def request_bytes(
    data: bytes, *, file_format: DocumentFormat, source: str, limits: ParsingLimits
) -> bytes:
    """Write a request without the file's bytes, which follow it."""
    header = json.dumps({"format": file_format, "source": source, "limits": asdict(limits)})
    encoded = header.encode()
    return LENGTHS.pack(len(encoded), len(data)) + encoded


def read_header(encoded: bytes) -> tuple[DocumentFormat, str, ParsingLimits]:
    """Read a request's header."""
    header: dict[str, Any] = json.loads(encoded)
    limits = ParsingLimits(**header["limits"])
    return DocumentFormat(header["format"]), header["source"], limits


def reply_max_bytes(limits: ParsingLimits) -> int:
    """Say how long a reply may be."""
    return _BYTES_OF_CHAR * limits.text_max_chars + HEADER_MAX_BYTES


def reply_bytes(reply: Document | Refusal) -> bytes:
    """Write a reply with its length."""
    body = _document_json(reply) if isinstance(reply, Document) else {"refusal": asdict(reply)}
    encoded = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return REPLY_LENGTH.pack(len(encoded)) + encoded


def read_reply(encoded: bytes) -> Document | Refusal:
    """Read a reply without its length.

    Raises:
        ValueError: It is none.
    """
    try:
        body: Mapping[str, Any] = json.loads(encoded)
        if "refusal" in body:
            return _refusal(body["refusal"])
        paths = [tuple(map(str, path)) for path in body["headings"]]
        blocks = tuple(_block(block, paths) for block in body["blocks"])
        return Document(title=str(body["title"]), blocks=blocks)
    except (LookupError, TypeError, RecursionError) as error:
        msg = "a reply of another form"
        raise ValueError(msg) from error


def _refusal(fields: Mapping[str, Any]) -> Refusal:
    texts = {name: str(fields[name]) for name in ("problem", "remedy", "actual", "limit")}
    field = fields["field"]
    return Refusal(field=None if field is None else str(field), **texts)


def _document_json(document: Document) -> Mapping[str, object]:
    # Blocks of one section share their headings, which are written once.
    paths: dict[tuple[str, ...], int] = {}
    blocks = [
        [block.text, block.kind, paths.setdefault(block.headings, len(paths)), block.page]
        for block in document.blocks
    ]
    return {"title": document.title, "headings": list(paths), "blocks": blocks}


def _block(fields: object, paths: list[tuple[str, ...]]) -> Block:
    if not isinstance(fields, list):
        raise TypeError
    text, kind, path, page = cast("list[Any]", fields)
    return Block(
        text=str(text),
        kind=BlockKind(kind),
        headings=paths[int(path)],
        page=None if page is None else int(page),
    )
