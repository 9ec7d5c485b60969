from __future__ import annotations

import pytest
from tests.state.knowledge.small_files import docx_bytes, pdf_bytes

from smallhold.state.knowledge import DocumentFormat, ParsingLimits
from smallhold.state.knowledge.parsers.parsing import parse

FILES = {
    DocumentFormat.TEXT: b"Hello.",
    DocumentFormat.MARKDOWN: b"Hello.",
    DocumentFormat.HTML: b"<p>Hello.</p>",
    DocumentFormat.PDF: pdf_bytes([["Hello."]]),
    DocumentFormat.DOCX: docx_bytes([("Normal", "Hello.")]),
    DocumentFormat.CSV: b"greeting\nHello.\n",
}


@pytest.mark.parametrize("file_format", list(DocumentFormat))
def test_every_format_has_its_parser(file_format: DocumentFormat) -> None:
    found = parse(FILES[file_format], file_format=file_format, source="a", limits=ParsingLimits())
    assert found.blocks[0].text.endswith("Hello.")
