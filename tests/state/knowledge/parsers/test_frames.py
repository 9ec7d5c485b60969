from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.knowledge import Block, BlockKind, Document, DocumentFormat, ParsingLimits
from smallhold.state.knowledge.parsers.frames import (
    LENGTHS,
    REPLY_LENGTH,
    Refusal,
    read_header,
    read_reply,
    reply_bytes,
    request_bytes,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BLOCKS = st.builds(
    Block,
    text=TEXTS,
    kind=st.sampled_from(BlockKind),
    headings=st.lists(TEXTS, max_size=3).map(tuple),
    page=st.none() | st.integers(1, 9),
)
DOCUMENTS = st.builds(Document, title=TEXTS, blocks=st.lists(BLOCKS, max_size=4).map(tuple))
REFUSALS = st.builds(
    Refusal, problem=TEXTS, remedy=TEXTS, field=st.none() | TEXTS, actual=TEXTS, limit=TEXTS
)


@given(DOCUMENTS | REFUSALS)
def test_a_reply_is_read_as_it_was_written(reply: Document | Refusal) -> None:
    data = reply_bytes(reply)
    (length,) = REPLY_LENGTH.unpack(data[: REPLY_LENGTH.size])
    assert length == len(data) - REPLY_LENGTH.size
    assert read_reply(data[REPLY_LENGTH.size :]) == reply


def test_a_request_is_read_as_it_was_written() -> None:
    limits = ParsingLimits(cpu_s=3)
    request = request_bytes(
        b"data", file_format=DocumentFormat.PDF, source="ä\n.pdf", limits=limits
    )
    header_bytes, data_bytes = LENGTHS.unpack(request[: LENGTHS.size])
    header = request[LENGTHS.size :]
    assert (len(header), data_bytes) == (header_bytes, 4)
    assert read_header(header) == (DocumentFormat.PDF, "ä\n.pdf", limits)


@given(st.binary() | st.sampled_from([b"{}", b"[]", b"1", b'{"refusal": 1}', b'{"blocks": [1]}']))
def test_anything_else_is_no_reply(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_reply(data)
