"""The key-value pairs of a GGUF file: this file holds the metadata reader.

Long arrays and strings are passed over without being built, so that a vocabulary costs no memory.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from smallhold.models.gguf.cursor import U32, U64, GGUFCursor

Scalar: TypeAlias = bool | int | float | str
MetadataValue: TypeAlias = Scalar | tuple[Scalar, ...]

MAX_KEYS: Final = 16_384
"""The most metadata keys; real files have fewer than 100."""
MAX_STRINGS: Final = 4 << 20
"""The most strings in all arrays together; the largest vocabularies have about 800,000."""
MAX_KEPT_ITEMS: Final = 1024
"""Arrays up to this length are kept; longer ones only when asked for by name."""
MAX_KEPT_BYTES: Final = 16 << 20
"""About the most memory that the kept metadata may take; values beyond it are omitted."""
MAX_STRING_BYTES: Final = 1 << 20
"""Longer string values are omitted; the longest chat templates have about 20 kB."""
MAX_KEY_BYTES: Final = 65_535
"""Source: the GGUF specification."""
MIN_PAIR_BYTES: Final = 8 + 4 + 1
"""Length of the key, type, and the smallest value."""

_OBJECT_BYTES: Final = 64
"""Rough cost of one small Python object, for the memory budget."""
_CHARACTER_BYTES: Final = 4
"""The most that one byte of UTF-8 can cost as Python text."""
_BOOL: Final = 7
_STRING: Final = 8
_ARRAY: Final = 9
_NUMBERS: Final[Mapping[int, struct.Struct]] = MappingProxyType({
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: U32,
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    _BOOL: struct.Struct("<B"),
    10: U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
})


class MetadataReader:
    """Collects key-value pairs within one memory budget."""

    def __init__(self, cursor: GGUFCursor, *, keep_arrays: Collection[str]) -> None:
        self.metadata: dict[str, MetadataValue] = {}
        self.array_lengths: dict[str, int] = {}
        self.omitted_keys: list[str] = []
        self._cursor = cursor
        self._keep_arrays = frozenset(keep_arrays)
        self._seen: set[str] = set()
        self._budget_bytes = MAX_KEPT_BYTES
        self._strings_left = MAX_STRINGS

    def read_pair(self) -> None:
        """Read the next key with its value, refusing a repeated key."""
        key = self._read_key()
        kind = self._cursor.unsigned(U32, what=f"the type of {key!r}")
        if kind == _ARRAY:
            self._read_array(key)
        elif kind == _STRING:
            self._read_string(key)
        elif kind in _NUMBERS:
            self._spend(_OBJECT_BYTES, what=f"the value of {key!r}")
            self.metadata[key] = self._number(kind, what=f"the value of {key!r}")
        else:
            self._cursor.fail(f"the value of {key!r} has the unknown type {kind}")

    def _read_key(self) -> str:
        cursor = self._cursor
        length = cursor.unsigned(U64, what="the length of a key")
        if length > MAX_KEY_BYTES:
            cursor.fail(f"a key claims {length:,} bytes, allowed are {MAX_KEY_BYTES:,}")
        self._spend(length + 2 * _OBJECT_BYTES, what="the keys")
        try:
            key = cursor.take(length, what="a key").decode()
        except UnicodeDecodeError:
            cursor.fail("a key is not UTF-8 text")
        if key in self._seen:
            cursor.fail(f"the key {key!r} is there twice")
        self._seen.add(key)
        return key

    def _read_string(self, key: str) -> None:
        what = f"the value of {key!r}"
        length = self._cursor.unsigned(U64, what=what)
        if length > MAX_STRING_BYTES or not self._afford(_CHARACTER_BYTES * length + _OBJECT_BYTES):
            self._cursor.skip(length, what=what)
            self.omitted_keys.append(key)
            return
        self.metadata[key] = self._cursor.take(length, what=what).decode(errors="replace")

    def _read_array(self, key: str) -> None:
        what = f"the array {key!r}"
        cursor = self._cursor
        kind = cursor.unsigned(U32, what=what)
        if kind not in _NUMBERS and kind != _STRING:
            # llama.cpp refuses arrays in arrays too, and so no reader has to recurse.
            cursor.fail(f"{what} has items of the unsupported type {kind}")
        item_bytes = U64.size if kind == _STRING else _NUMBERS[kind].size
        at_most = self._strings_left if kind == _STRING else cursor.left_bytes
        length = cursor.count(what=what, each_at_least_bytes=item_bytes, at_most=at_most)
        self._strings_left -= length if kind == _STRING else 0
        self.array_lengths[key] = length
        if key in self._keep_arrays:
            self.metadata[key] = self._items(kind, length, what=what, budgeted=False)
        elif length <= MAX_KEPT_ITEMS and self._afford(length * _OBJECT_BYTES):
            self.metadata[key] = self._items(kind, length, what=what, budgeted=True)
        else:
            self._skip_items(kind, length, what=what)
            self.omitted_keys.append(key)

    def _items(self, kind: int, length: int, *, what: str, budgeted: bool) -> tuple[Scalar, ...]:
        if kind != _STRING:
            return tuple(self._number(kind, what=what) for _ in range(length))
        return tuple(self._item_text(what=what, budgeted=budgeted) for _ in range(length))

    def _item_text(self, *, what: str, budgeted: bool) -> str:
        length = self._cursor.unsigned(U64, what=what)
        if length > MAX_STRING_BYTES:
            self._cursor.fail(f"{what} holds a string of {length:,} bytes")
        if budgeted:
            self._spend(_CHARACTER_BYTES * length, what=what)
        return self._cursor.take(length, what=what).decode(errors="replace")

    def _skip_items(self, kind: int, length: int, *, what: str) -> None:
        if kind == _STRING:
            self._cursor.skip_strings(length, what=what)
        else:
            self._cursor.skip(length * _NUMBERS[kind].size, what=what)

    def _number(self, kind: int, *, what: str) -> int | float | bool:
        value = self._cursor.unpack(_NUMBERS[kind], what=what)
        if kind != _BOOL:
            return value
        if value not in {0, 1}:
            self._cursor.fail(f"{what} is neither true nor false")
        return bool(value)

    def _afford(self, cost_bytes: int) -> bool:
        if cost_bytes > self._budget_bytes:
            return False
        self._budget_bytes -= cost_bytes
        return True

    def _spend(self, cost_bytes: int, *, what: str) -> None:
        if not self._afford(cost_bytes):
            self._cursor.fail(f"{what} would take more than {MAX_KEPT_BYTES:,} bytes of memory")
