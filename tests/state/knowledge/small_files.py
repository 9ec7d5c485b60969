"""Small real files of formats that people do not write by hand: this file makes them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import docx
from pypdf import PdfReader, PdfWriter
from pypdf.generic import IndirectObject

_LINE_HEIGHT = 14


def pdf_bytes(
    pages: Sequence[Sequence[str]],
    *,
    title: str = "",
    bookmarks: Sequence[tuple[str, int, int]] = (),
    password: str | None = None,
) -> bytes:
    """Write a PDF of lines of text.

    Args:
        pages: The lines of each page; an empty one leaves a gap.
        title: What the document calls itself.
        bookmarks: Title, level from 1, and page from 1 of each.
        password: Locks the file.
    """
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(_plain_pdf(pages))))
    if title:
        writer.add_metadata({"/Title": title})
    parents: dict[int, IndirectObject] = {}
    for name, level, page in bookmarks:
        parents[level] = writer.add_outline_item(
            title=name, page_number=page - 1, parent=parents.get(level - 1)
        )
    if password is not None:
        writer.encrypt(password, algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def bomb_pdf_bytes(unpacked_bytes: int) -> bytes:
    """Write a PDF of one page whose content unpacks to so many bytes, a thousandth packed."""
    content = zlib.compress(b"(a) Tj " * (unpacked_bytes // 7), 9)
    return _pdf_of([_stream(content, b"/Filter /FlateDecode ")])


def docx_bytes(
    parts: Sequence[tuple[str, str]],
    *,
    title: str = "",
    table: Sequence[Sequence[str]] = (),
) -> bytes:
    """Write a Word document of paragraphs with their styles, and a table at its end."""
    document = docx.Document()
    document.core_properties.title = title
    for style, text in parts:
        document.add_paragraph(text, style=style)
    if table:
        grid = document.add_table(rows=0, cols=len(table[0]))
        for row in table:
            cells = grid.add_row().cells
            for cell, text in zip(cells, row, strict=True):
                cell.text = text
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def bomb_docx_bytes(unpacked_bytes: int) -> bytes:
    """Write a Word document whose text unpacks to so many bytes of zeros."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(docx_bytes([("Normal", "x")]))) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in source.namelist():
            if name == "word/document.xml":
                archive.writestr(name, b"\0" * unpacked_bytes)
            else:
                archive.writestr(name, source.read(name))
    return target.getvalue()


def sparse_file(path: Path, *, size_bytes: int) -> Path:
    """Make a file of so many zeros that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def _plain_pdf(pages: Sequence[Sequence[str]]) -> bytes:
    return _pdf_of([_stream(_content(lines)) for lines in pages])


def _content(lines: Sequence[str]) -> bytes:
    parts = [f"BT /F1 12 Tf {_LINE_HEIGHT} TL 72 720 Td"]
    for line in lines:
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        parts.append(f"({escaped}) Tj T*")
    return "\n".join([*parts, "ET"]).encode("latin-1")


def _stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< %b/Length %d >>\nstream\n%b\nendstream" % (entries, len(content), content)


def _pdf_of(contents: Sequence[bytes]) -> bytes:
    """Number the objects: catalog, pages, font, then a page and its content for each."""
    first = 4
    kids = b" ".join(b"%d 0 R" % (first + 2 * number) for number in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(contents)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, content in enumerate(contents):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (first + 2 * number + 1),
            content,
        ]
    out = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(out)
