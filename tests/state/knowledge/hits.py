"""Hits without a search: this file holds how tests make them."""

from __future__ import annotations

from smallhold.state.knowledge import Chunk, Hit


def hit(
    text: str, *, source: str = "/shop/manual.pdf", headings: tuple[str, ...] = (), page: int = 3
) -> Hit:
    chunk = Chunk(text=text, headings=headings, page=page)
    return Hit(
        document="d",
        number=0,
        digest=chunk.digest.hex(),
        source=source,
        title="Manual",
        text=text,
        headings=headings,
        page=page,
        last_page=page,
        score=0.5,
        coverage=0.5,
        similarity=None,
    )
