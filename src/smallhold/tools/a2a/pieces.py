"""An answer sent on in pieces: this file holds how tokens are grouped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PIECE_CHARS: Final = 32
"""Shortest piece but for the first and last: about eight tokens. Every piece is a message of some
300 bytes, and is kept with its task."""


@dataclass(slots=True, kw_only=True)
class Pieces:
    """Groups tokens; the pieces joined, with the rest, are the tokens joined."""

    held: str = ""
    is_begun: bool = False
    """Whether a piece has been handed out."""

    def add(self, text: str) -> str:
        """Take a token; hand out the next piece, `""` while it is too short."""
        self.held += text
        is_due = len(self.held) >= PIECE_CHARS or (not self.is_begun and self.held.strip())
        return self.rest() if is_due else ""

    def rest(self) -> str:
        """Hand out what is held."""
        piece, self.held = self.held, ""
        self.is_begun = self.is_begun or bool(piece)
        return piece
