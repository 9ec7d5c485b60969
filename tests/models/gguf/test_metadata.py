"""Promises of `smallhold.models.gguf.metadata`: this file holds tests of key-value pairs."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.gguf.cursor import GGUFCursor
from smallhold.models.gguf.metadata import MAX_KEPT_ITEMS, MAX_STRING_BYTES, MetadataReader

if TYPE_CHECKING:
    from tests.models.conftest import GGUFMaker

BOOL, STRING, ARRAY, U64, U8 = 7, 8, 9, 10, 0


def read(*pairs: bytes, keep: tuple[str, ...] = ()) -> MetadataReader:
    data = b"".join(pairs)
    cursor = GGUFCursor(io.BytesIO(data), size_bytes=len(data), path="x.gguf")
    reader = MetadataReader(cursor, keep_arrays=keep)
    for _ in pairs:
        reader.read_pair()
    return reader


def test_scalars_keep_their_types(gguf: GGUFMaker) -> None:
    reader = read(
        gguf.pair("byte", 1, struct.pack("<b", -5)),
        gguf.pair("big", U64, struct.pack("<Q", 2**64 - 1)),
        gguf.pair("double", 12, struct.pack("<d", 0.5)),
        gguf.pair("flag", BOOL, b"\1"),
        gguf.string("text", "häuser"),
    )
    expected = {"byte": -5, "big": 2**64 - 1, "double": 0.5, "flag": True, "text": "häuser"}
    assert reader.metadata == expected


def test_a_short_array_is_kept_and_a_long_one_only_counted(gguf: GGUFMaker) -> None:
    items = [gguf.text("a")] * (MAX_KEPT_ITEMS + 1)
    reader = read(gguf.array("short", STRING, items[:2]), gguf.array("long", STRING, items))
    assert reader.metadata == {"short": ("a", "a")}
    assert reader.array_lengths == {"short": 2, "long": MAX_KEPT_ITEMS + 1}
    assert reader.omitted_keys == ["long"]


def test_a_long_array_is_kept_when_asked_for_by_name(gguf: GGUFMaker) -> None:
    items = [gguf.text(str(number)) for number in range(MAX_KEPT_ITEMS + 1)]
    reader = read(gguf.array("long", STRING, items), keep=("long",))
    assert reader.metadata["long"] == tuple(str(n) for n in range(MAX_KEPT_ITEMS + 1))


def test_a_very_long_string_is_omitted_and_what_follows_is_read(gguf: GGUFMaker) -> None:
    reader = read(gguf.string("novel", b"x" * (MAX_STRING_BYTES + 1)), gguf.number("after", 7))
    assert reader.metadata == {"after": 7}
    assert reader.omitted_keys == ["novel"]


def test_values_beyond_the_memory_budget_are_omitted(gguf: GGUFMaker) -> None:
    megabyte = b"x" * MAX_STRING_BYTES
    reader = read(*(gguf.string(f"key{number}", megabyte) for number in range(6)))
    assert set(reader.metadata) == {"key0", "key1", "key2"}
    assert reader.omitted_keys == ["key3", "key4", "key5"]


def test_text_that_is_no_utf8_is_kept_readable(gguf: GGUFMaker) -> None:
    assert read(gguf.string("name", b"a\xffb")).metadata == {"name": "a\ufffdb"}


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        (13, b"", "unknown type 13"),
        (BOOL, b"\2", "neither true nor false"),
        (ARRAY, struct.pack("<IQ", ARRAY, 1), "unsupported type 9"),
        (ARRAY, struct.pack("<IQ", 77, 1), "unsupported type 77"),
        (ARRAY, struct.pack("<IQ", U8, 2**63), "claims 9,223,372,036,854,775,808 items"),
        (ARRAY, struct.pack("<IQ", STRING, 2**40), "claims 1,099,511,627,776 items"),
        (ARRAY, struct.pack("<IQQ", STRING, 1, 2**63), "of 9,223,372,036,854,775,808 bytes"),
        (STRING, struct.pack("<Q", 2**63), "needs 9,223,372,036,854,775,808 bytes"),
        (STRING, struct.pack("<Q", 5) + b"abc", "needs 5 bytes"),
    ],
)
def test_an_impossible_value_is_refused(
    gguf: GGUFMaker, kind: int, payload: bytes, words: str
) -> None:
    with pytest.raises(InvalidGGUFError, match=words):
        read(gguf.pair("key", kind, payload))


def test_a_key_that_is_there_twice_is_refused(gguf: GGUFMaker) -> None:
    with pytest.raises(InvalidGGUFError, match="'a' is there twice"):
        read(gguf.number("a", 1), gguf.number("a", 2))


@pytest.mark.parametrize("key", [b"\xff", b"x" * 65_536], ids=["no text", "too long"])
def test_an_impossible_key_is_refused(gguf: GGUFMaker, key: bytes) -> None:
    with pytest.raises(InvalidGGUFError, match="a key"):
        read(gguf.pair(key, BOOL, b"\1"))


def test_keys_cannot_fill_the_memory(gguf: GGUFMaker) -> None:
    pairs = [gguf.pair(str(n).encode() * 15_000, BOOL, b"\1") for n in range(1000, 1400)]
    with pytest.raises(InvalidGGUFError, match="of memory"):
        read(*pairs)
