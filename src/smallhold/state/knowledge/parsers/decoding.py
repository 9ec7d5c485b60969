"""From bytes to text in an unknown encoding: this file holds how it is found."""

from __future__ import annotations

import codecs
import re
from typing import Final

from smallhold.exceptions import DocumentError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16, so it comes first."""
_FALLBACK: Final = "cp1252"
"""What is neither UTF-8 nor marked was most often written by an older Windows, or in Latin 1, which
this one contains. Source: WHATWG Encoding Standard, the fallback of most locales."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE: Final = 0.01
_REMEDY: Final = "Give it the suffix of what it is, or leave it out."


def decoded(data: bytes, *, source: str) -> str:
    """Read bytes as text; all line ends become line feeds.

    Raises:
        DocumentError: They are no text.
    """
    text = _decoded(data, source=source)
    if len(_CONTROL.findall(text)) > _CONTROL_SHARE * len(text):
        raise DocumentError(source=source, problem="it is binary data and no text", remedy=_REMEDY)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, *, source: str) -> str:
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    try:
        return data.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        if marked is not None:
            problem = f"it begins like {marked} and goes on otherwise"
            raise DocumentError(source=source, problem=problem, remedy=_REMEDY) from error
    if b"\0" in data:
        raise DocumentError(source=source, problem="it is binary data and no text", remedy=_REMEDY)
    return data.decode(_FALLBACK, "replace")
