"""Markdown: this file holds its parser, CommonMark with tables through markdown-it-py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge.document import BlockKind, Document
from smallhold.state.knowledge.parsers.builder import DocumentBuilder
from smallhold.state.knowledge.parsers.decoding import decoded
from smallhold.state.knowledge.parsers.html import blocks_of_html

_FRONT_MATTER: Final = re.compile(r"\A---\n(?:.*\n)*?(?:---|\.\.\.)\n")
"""Settings of a site generator, between two lines of dashes at the very top."""
_FRONT_TITLE: Final = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_ANCHOR: Final = re.compile(r"\s*\{#[^}]*\}\s*$")
_BREAKS: Final = frozenset({"softbreak", "hardbreak"})


def parse_markdown(data: bytes, *, source: str, text_max_chars: int) -> Document:
    """Read Markdown.

    Raises:
        DocumentError: It is no text, or empty.
    """
    text = decoded(data, source=source)
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    front = _FRONT_MATTER.match(text)
    if front is not None:
        title = _FRONT_TITLE.search(front.group())
        builder.title = title.group(1) if title else ""
        text = text[front.end() :]
    try:
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
    except RecursionError as error:
        raise DocumentError(
            source=source, problem="it is nested too deeply", remedy="Flatten its lists and quotes."
        ) from error
    _Walk(builder, source=source, text_max_chars=text_max_chars).through(tokens)
    return builder.finished()


class _Walk:
    """Goes through the tokens once, which stand in reading order."""

    def __init__(self, builder: DocumentBuilder, *, source: str, text_max_chars: int) -> None:
        self._builder = builder
        self._source = source
        self._text_max_chars = text_max_chars
        self._lists: list[int | None] = []
        self._bullet = ""
        self._is_head = False
        self._names: list[str] = []
        self._cells: list[str] | None = None
        """Those of the row at hand; `None` outside of tables."""

    def through(self, tokens: Sequence[Token]) -> None:
        for before, token in zip([None, *tokens], tokens, strict=False):
            match token.type:
                case "inline":
                    heading = before is not None and before.type == "heading_open"
                    level = int(before.tag[1:]) if before is not None and heading else None
                    self._text(inline_text(token), level=level)
                case "fence" | "code_block":
                    self._builder.block(token.content, kind=BlockKind.CODE)
                case "html_block":
                    self._html(token.content)
                case _:
                    self._structure(token)

    def _structure(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._bullet = self._next_bullet()
            case "thead_open" | "thead_close":
                self._is_head = token.nesting == 1
            case "tr_open":
                self._cells = []
            case "tr_close":
                self._end_row()
            case _:
                pass

    def _next_bullet(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _text(self, text: str, *, level: int | None) -> None:
        if level is not None:
            self._builder.heading(_ANCHOR.sub("", text), level=level)
        elif self._cells is not None:
            self._cells.append(text)
        elif self._lists:
            self._builder.block(f"{self._bullet}{text}", kind=BlockKind.LIST_ITEM)
            self._bullet = ""
        else:
            self._builder.block(text)

    def _end_row(self) -> None:
        cells = self._cells or []
        if self._is_head:
            self._names = cells
        else:
            self._builder.row(self._names, cells)
        self._cells = None

    def _html(self, html: str) -> None:
        for block in blocks_of_html(html, source=self._source, text_max_chars=self._text_max_chars):
            self._builder.block(block.text, kind=block.kind)


def inline_text(token: Token) -> str:
    """Give the words of a line, without the marks of emphasis and the addresses of links."""
    parts: list[str] = []
    for child in token.children or ():
        if child.type in {"text", "code_inline", "image"}:
            parts.append(child.content)
        elif child.type in _BREAKS:
            parts.append("\n")
    return "".join(parts)
