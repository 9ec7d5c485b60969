from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge.parsers.decoding import decoded


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_in_a_common_encoding_is_read(encoding: str) -> None:
    assert decoded("Grüße, café".encode(encoding), source="a.txt") == "Grüße, café"


def test_line_ends_of_all_systems_become_line_feeds() -> None:
    assert decoded(b"a\r\nb\rc\n", source="a.txt") == "a\nb\nc\n"


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01" + bytes(200), bytes(range(256)), b"\xff\xfe\x00\xd8"]
)
def test_binary_data_under_the_name_of_text_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"a\.txt cannot be read"):
        decoded(data, source="a.txt")


@given(st.binary())
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    with suppress(DocumentError):
        assert "\r" not in decoded(data, source="a.txt")
