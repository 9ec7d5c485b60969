"""Promises of `smallhold.models.archives.tar_members`: this file holds tests of tar headers."""

from __future__ import annotations

import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.archives.tar_members import BLOCK_BYTES, Member, member_header, read_header

NAMES = st.text("abcdefghij-._/0123456789", max_size=98).map(lambda text: f"{text}x")


@given(NAMES, st.integers(0, 1 << 62))
def test_a_header_says_what_was_written(name: str, size_bytes: int) -> None:
    member = Member(name=name, size_bytes=size_bytes)
    header = member_header(member)
    assert len(header) == BLOCK_BYTES
    assert read_header(header) == member


@given(st.integers(0, 1 << 50))
def test_members_fill_whole_blocks(size_bytes: int) -> None:
    member = Member(name="a", size_bytes=size_bytes)
    assert member.whole_bytes % BLOCK_BYTES == 0
    assert 0 <= member.padding_bytes < BLOCK_BYTES


@pytest.mark.parametrize("name", ["", "a" * 100, "ä" * 50])
def test_a_name_that_needs_an_extended_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="99 bytes"):
        member_header(Member(name=name, size_bytes=1))


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
        tarfile.BLKTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_SPARSE,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
    ],
)
def test_links_devices_and_extended_headers_are_no_members(kind: bytes) -> None:
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, 1 << 40
    assert read_header(info.tobuf(format=tarfile.GNU_FORMAT)[:BLOCK_BYTES]) is None


@given(st.binary(max_size=BLOCK_BYTES + 1))
def test_no_bytes_whatever_break_the_reader(block: bytes) -> None:
    member = read_header(block)
    assert member is None or member.size_bytes >= 0


@given(st.integers(0, BLOCK_BYTES - 1), st.integers(1, 255))
def test_a_header_with_a_changed_byte_is_refused_or_says_the_same(place: int, change: int) -> None:
    member = Member(name="blobs/sha256-" + "a" * 64, size_bytes=12_345)
    header = bytearray(member_header(member))
    header[place] ^= change
    assert read_header(bytes(header)) in {None, member}
