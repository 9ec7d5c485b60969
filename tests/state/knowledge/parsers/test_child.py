from __future__ import annotations

import io

from tests.state.knowledge.small_files import pdf_bytes

from smallhold.state.knowledge import Document, DocumentFormat, ParsingLimits
from smallhold.state.knowledge.parsers.child import reply_to
from smallhold.state.knowledge.parsers.frames import (
    REPLY_LENGTH,
    Refusal,
    read_reply,
    request_bytes,
)

LIMITS = ParsingLimits(text_max_chars=1_000)


def answer(data: bytes, file_format: DocumentFormat) -> Document | Refusal:
    request = request_bytes(data, file_format=file_format, source="a", limits=LIMITS)
    reply = reply_to(io.BytesIO(request + data), prepare=lambda _: None)
    assert reply is not None
    return read_reply(reply[REPLY_LENGTH.size :])


def test_a_document_is_answered_with_its_blocks() -> None:
    found = answer(pdf_bytes([["Hello."]]), DocumentFormat.PDF)
    assert isinstance(found, Document)
    assert found.blocks[0].text == "Hello."


def test_a_file_that_cannot_be_read_is_answered_with_why() -> None:
    found = answer(b"nothing", DocumentFormat.PDF)
    assert isinstance(found, Refusal)
    assert "no PDF" in found.problem


def test_a_limit_is_answered_with_its_name() -> None:
    found = answer(b"a " * 2_000, DocumentFormat.TEXT)
    assert isinstance(found, Refusal)
    assert found.field == "text_max_chars"


def test_nothing_is_answered_when_the_input_ends() -> None:
    assert reply_to(io.BytesIO(b""), prepare=lambda _: None) is None
