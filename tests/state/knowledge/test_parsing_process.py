from __future__ import annotations

import signal

import pytest
from tests.state.knowledge.small_files import (
    bomb_docx_bytes,
    bomb_pdf_bytes,
    docx_bytes,
    pdf_bytes,
)

from smallhold.exceptions import ConfigError, DocumentError, DocumentTooLargeError
from smallhold.state.knowledge import DocumentFormat, ParsingLimits
from smallhold.state.knowledge.parsers.child import MEMORY_EXIT_STATUS, MODULE_EXIT_STATUS
from smallhold.state.knowledge.parsing_process import ParsingProcess, death

LIMITS = ParsingLimits(memory_bytes=400 << 20, cpu_s=1.5, wall_s=60)


async def test_documents_are_read_one_after_another_by_one_process() -> None:
    async with ParsingProcess(LIMITS) as parser:
        for data, kind in (
            (pdf_bytes([["Hello."]]), DocumentFormat.PDF),
            (docx_bytes([("Normal", "Hello.")]), DocumentFormat.DOCX),
        ):
            found = await parser.parse(data, file_format=kind, source="a")
            assert found.blocks[0].text == "Hello."
            pid = parser.pid
        assert pid == parser.pid
    assert parser.pid is None


async def test_a_file_that_is_not_what_its_name_says_is_refused_and_ends_nothing() -> None:
    async with ParsingProcess(LIMITS) as parser:
        with pytest.raises(DocumentError, match=r"manual\.pdf cannot be read: it is no PDF"):
            await parser.parse(b"<p>", file_format=DocumentFormat.PDF, source="manual.pdf")
        pid = parser.pid
        await parser.parse(b"<p>x", file_format=DocumentFormat.HTML, source="a.html")
        assert parser.pid == pid


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (bomb_pdf_bytes(2_000_000_000), DocumentFormat.PDF),
        (bomb_docx_bytes(400_000_000), DocumentFormat.DOCX),
        (b"<div>" * 200_000, DocumentFormat.HTML),
        (b"[" * 3_000_000, DocumentFormat.MARKDOWN),
    ],
    ids=["pdf", "docx", "html", "markdown"],
)
async def test_a_bomb_is_refused_and_the_next_document_is_read(
    data: bytes, kind: DocumentFormat
) -> None:
    async with ParsingProcess(LIMITS) as parser:
        try:
            await parser.parse(data, file_format=kind, source="bomb")
        except DocumentError as error:
            refusal = str(error)
        else:
            refusal = "bomb: it was only large"
        assert refusal.startswith("bomb")
        found = await parser.parse(b"After.", file_format=DocumentFormat.TEXT, source="a.txt")
        assert found.blocks[0].text == "After."


async def test_processor_time_is_limited_for_each_document() -> None:
    limits = ParsingLimits(cpu_s=0.5, wall_s=60)
    async with ParsingProcess(limits) as parser:
        with pytest.raises(DocumentTooLargeError, match="cpu_s"):
            await parser.parse(b"<p>" * 3_000_000, file_format=DocumentFormat.HTML, source="a")
        found = await parser.parse(b"x", file_format=DocumentFormat.TEXT, source="a.txt")
        assert found.blocks


async def test_time_by_the_clock_is_limited_too() -> None:
    limits = ParsingLimits(wall_s=0.001)
    async with ParsingProcess(limits) as parser:
        with pytest.raises(DocumentTooLargeError, match="wall_s"):
            await parser.parse(b"x", file_format=DocumentFormat.TEXT, source="a.txt")


async def test_a_process_that_was_not_entered_says_so() -> None:
    with pytest.raises(ConfigError, match="async with"):
        await ParsingProcess().parse(b"x", file_format=DocumentFormat.TEXT, source="a.txt")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (MEMORY_EXIT_STATUS, "memory_bytes"),
        (-signal.SIGKILL, "memory_bytes"),
        (-signal.SIGXCPU, "cpu_s"),
        (-signal.SIGSEGV, "crashed"),
        (MODULE_EXIT_STATUS, "pip install"),
    ],
)
def test_the_cause_of_a_death_is_told(status: int, words: str) -> None:
    error = death(status, source="a", file_format=DocumentFormat.PDF, limits=LIMITS)
    assert words in str(error)
