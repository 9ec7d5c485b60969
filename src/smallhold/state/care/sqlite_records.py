"""Rows in the pages of a SQLite file: this file holds the parser of their records.

It reads any bytes and never trusts a length or a pointer in them. Pages come from a function, so
that nothing here does I/O.

Source: SQLite documentation, "Database File Format", sections 1.6 (trees) and 2.1 (records).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

Value: TypeAlias = int | float | str | bytes | None
Record: TypeAlias = tuple[Value, ...]
PageOf: TypeAlias = Callable[[int], bytes | None]
"""Gives a page by its number, from 1; `None` where there is none."""

FILE_HEAD_BYTES: Final = 100
"""What stands in the first page before its tree."""
_TABLE_LEAF: Final = 0x0D
_INDEX_LEAF: Final = 0x0A
_INDEX_INTERIOR: Final = 0x02
_HEAD_BYTES: Final = {_TABLE_LEAF: 8, _INDEX_LEAF: 8, _INDEX_INTERIOR: 12}
"""Bytes before the list of cells. Interior pages of tables hold no rows."""
_POINTER_BYTES: Final = 4
_VARINT_BYTES: Final = 9
_GOES_ON: Final = 0x80
_INTEGER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_FLOAT_TYPE: Final = 7
_CONSTANTS: Final = {0: None, 8: 0, 9: 1}
_FIRST_BLOB_TYPE: Final = 12


def page_records(
    page: bytes, *, number: int, usable_bytes: int, page_of: PageOf
) -> Iterator[tuple[bool, Record | None]]:
    """Read the rows of one page.

    Args:
        page: Its bytes.
        number: Its number, from 1.
        usable_bytes: Size of the pages, without what is reserved at their ends.
        page_of: Gives the pages on which long rows go on.

    Yields:
        Whether the row is one of a tree with row ids, and its values; `None` for a row that cannot
        be read.
    """
    start = FILE_HEAD_BYTES if number == 1 else 0
    kind = page[start] if len(page) > start else 0
    if kind not in _HEAD_BYTES:
        return
    first = start + _HEAD_BYTES[kind]
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    for place in range(first, min(first + 2 * count, len(page) - 1), 2):
        at = int.from_bytes(page[place : place + 2], "big")
        try:
            payload = _payload(page, at, kind=kind, usable_bytes=usable_bytes, page_of=page_of)
            record = _record(payload)
        except (ValueError, IndexError, struct.error):
            record = None
        yield kind == _TABLE_LEAF, record


def _payload(page: bytes, at: int, *, kind: int, usable_bytes: int, page_of: PageOf) -> bytes:
    if kind == _INDEX_INTERIOR:
        at += _POINTER_BYTES
    size, at = _varint(page, at)
    if kind == _TABLE_LEAF:
        _, at = _varint(page, at)
    here = _local_bytes(size, is_table=kind == _TABLE_LEAF, usable_bytes=usable_bytes)
    if at + here > len(page):
        raise ValueError
    parts, missing = [page[at : at + here]], size - here
    following = int.from_bytes(page[at + here : at + here + _POINTER_BYTES], "big")
    seen: set[int] = set()
    while missing > 0:
        overflow = page_of(following) if following not in seen else None
        if overflow is None:
            raise ValueError
        seen.add(following)
        part = overflow[_POINTER_BYTES : min(usable_bytes, _POINTER_BYTES + missing)]
        following = int.from_bytes(overflow[:_POINTER_BYTES], "big")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _local_bytes(size: int, *, is_table: bool, usable_bytes: int) -> int:
    """Tell how much of a row stands in the page itself."""
    most = usable_bytes - 35 if is_table else (usable_bytes - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (usable_bytes - 12) * 32 // 255 - 23
    wanted = least + (size - least) % (usable_bytes - _POINTER_BYTES)
    return wanted if wanted <= most else least


def _record(payload: bytes) -> Record:
    head_bytes, at = _varint(payload, 0)
    if head_bytes > len(payload):
        raise ValueError
    body = head_bytes
    values: list[Value] = []
    while at < head_bytes:
        kind, at = _varint(payload, at)
        value, body = _value(payload, kind, body)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind in _INTEGER_BYTES:
        end = at + _INTEGER_BYTES[kind]
        return int.from_bytes(_part(payload, at, end), "big", signed=True), end
    if kind == _FLOAT_TYPE:
        return struct.unpack(">d", _part(payload, at, at + 8))[0], at + 8
    if kind < _FIRST_BLOB_TYPE:
        raise ValueError
    end = at + (kind - _FIRST_BLOB_TYPE) // 2
    data = _part(payload, at, end)
    return (data.decode("utf-8") if kind % 2 else data), end


def _part(payload: bytes, start: int, end: int) -> bytes:
    if end > len(payload):
        raise ValueError
    return payload[start:end]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read SQLite's integer of one to nine bytes; the ninth counts with all of its bits."""
    value = 0
    for place in range(at, at + _VARINT_BYTES - 1):
        value = value << 7 | data[place] & 0x7F
        if not data[place] & _GOES_ON:
            return value, place + 1
    return value << 8 | data[at + _VARINT_BYTES - 1], at + _VARINT_BYTES
