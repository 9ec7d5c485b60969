"""Promises of `smallhold.models.gguf.cursor`: this file holds tests of bounds-checked reading."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.gguf.cursor import U32, GGUFCursor


def cursor(data: bytes) -> GGUFCursor:
    return GGUFCursor(io.BytesIO(data), size_bytes=len(data), path="x.gguf")


def test_reading_past_the_end_names_the_field_and_the_end() -> None:
    with pytest.raises(InvalidGGUFError, match=r"the version needs 4 bytes at byte 0.*at byte 3"):
        cursor(b"abc").unpack(U32, what="the version")


def test_a_count_that_the_file_cannot_hold_is_refused_before_reading() -> None:
    data = struct.pack("<Q", 100) + b"x" * 99
    with pytest.raises(InvalidGGUFError, match="do not fit into 99 bytes"):
        cursor(data).count(what="items", each_at_least_bytes=1, at_most=1000)


def test_a_count_over_the_limit_is_refused() -> None:
    data = struct.pack("<Q", 1 << 63) + b"x"
    with pytest.raises(InvalidGGUFError, match="allowed are 1,000"):
        cursor(data).count(what="items", each_at_least_bytes=0, at_most=1000)


def test_skipping_is_bounded_like_reading() -> None:
    with pytest.raises(InvalidGGUFError):
        cursor(b"abc").skip(4, what="data")


def test_a_file_that_shrank_meanwhile_is_refused() -> None:
    shrunk = GGUFCursor(io.BytesIO(b"ab"), size_bytes=8, path="x.gguf")
    with pytest.raises(InvalidGGUFError, match="shorter"):
        shrunk.take(8, what="data")


@given(st.lists(st.binary(max_size=40), max_size=60), st.integers(0, 60))
def test_skipping_strings_ends_where_reading_them_ends(texts: list[bytes], count: int) -> None:
    count = min(count, len(texts))
    data = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    skipped = cursor(data)
    skipped.skip_strings(count, what="words")
    assert skipped.position == sum(8 + len(text) for text in texts[:count])


def test_strings_longer_than_the_window_are_skipped_too() -> None:
    long = struct.pack("<Q", 200_000) + b"x" * 200_000
    skipped = cursor(long * 3)
    skipped.skip_strings(3, what="words")
    assert skipped.left_bytes == 0


@given(st.binary(max_size=64), st.lists(st.integers(0, 80), max_size=6))
def test_taking_gives_the_file_in_order_or_refuses(data: bytes, sizes: list[int]) -> None:
    reader = cursor(data)
    taken = b""
    for size in sizes:
        try:
            taken += reader.take(size, what="data")
        except InvalidGGUFError:
            assert size > reader.left_bytes
    assert taken == data[: len(taken)]
