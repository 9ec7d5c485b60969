"""What is searched and cited: this file holds a chunk of a document."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

DIGEST_BYTES: Final = 16
"""128 bits, so that no two chunks meet."""
HEADING_SEPARATOR: Final = " > "


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some blocks of a document that are found together."""

    text: str
    headings: tuple[str, ...] = ()
    """Where it stands, the document's title first."""
    page: int | None = None
    """Page on which it begins, from 1."""
    last_page: int | None = None
    """Page on which it ends."""

    @property
    def heading(self) -> str:
        """The headings as one line; empty without any."""
        return HEADING_SEPARATOR.join(self.headings)

    @property
    def searched_text(self) -> str:
        """What is embedded: the headings, without which a text may say little, and the text."""
        return f"{self.heading}\n{self.text}" if self.headings else self.text

    @property
    def digest(self) -> bytes:
        """16 bytes, always the same for the same text under the same headings."""
        text = self.searched_text.encode("utf-8", "surrogatepass")
        return hashlib.sha256(text).digest()[:DIGEST_BYTES]
