"""Tables as text: this file holds the parser of CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge.document import Document
from smallhold.state.knowledge.parsers.builder import DocumentBuilder
from smallhold.state.knowledge.parsers.decoding import decoded

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 50
_FIELD_MAX_CHARS: Final = 1 << 20


def parse_csv(data: bytes, *, source: str, text_max_chars: int) -> Document:
    """Read a table, each row a block with the names of its columns.

    Raises:
        DocumentError: It is no table, or empty.
    """
    text = decoded(data, source=source)
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    builder.title = PurePath(source).stem
    csv.field_size_limit(_FIELD_MAX_CHARS)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
        names: Sequence[str] = ()
        for number, row in enumerate(filter(any, rows)):
            if number == 0 and is_header(row):
                names = row
            else:
                builder.row(names, row)
    except csv.Error as error:
        raise DocumentError(
            source=source,
            problem=f"it is no sound table ({error})",
            remedy="Export it again as CSV with quotes around texts.",
        ) from error
    return builder.finished()


def delimiter_of(text: str) -> str:
    """Guess what parts the columns: the sign that parts the first rows alike, into most columns.

    Not `csv.Sniffer`: it takes letters for delimiters where columns are few.
    """
    sample = "\n".join(text.split("\n", _SAMPLE_ROWS)[:_SAMPLE_ROWS])
    return max(_DELIMITERS, key=lambda sign: _fitness(sample, sign))


def is_header(row: Sequence[str]) -> bool:
    """Tell whether a first row names the columns: all filled, all different, none a number."""
    cells = [cell.strip() for cell in row]
    return len(set(cells)) == len(cells) and all(cell and not _is_number(cell) for cell in cells)


def _fitness(sample: str, delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(sample.split("\n"), delimiter=delimiter) if row]
    except csv.Error:
        return (0.0, 0)
    if not widths or max(widths) == 1:
        return (0.0, 0)
    common = max(set(widths), key=widths.count)
    return (widths.count(common) / len(widths) if common > 1 else 0.0, common)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
