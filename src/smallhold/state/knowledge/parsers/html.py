"""Web pages: this file holds the parser of HTML, through selectolax."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge.document import Block, BlockKind, Document
from smallhold.state.knowledge.parsers.builder import DocumentBuilder, Path, one_line
from smallhold.state.knowledge.parsers.decoding import decoded

_UNREAD: Final = (
    "script, style, noscript, template, svg, nav, header nav, footer, aside, form, button, iframe, "
    "[hidden], [aria-hidden=true], [role=navigation], [role=search], [role=banner], "
    "[role=contentinfo], .navheader, .navfooter, .toc, .toctree-wrapper, .headerlink"
)
"""What is on a page and not what the page is about; the classes are those of DocBook and Sphinx."""
_MAIN: Final = "main, [role=main], article"
_MAIN_SHARE: Final = 0.5
"""The main part is taken alone where it holds at least so much of the page's text."""
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = frozenset({
    "address", "article", "blockquote", "body", "caption", "center", "dd", "details",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "header", "hgroup", "hr", "li",
    "main", "ol", "p", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
"""Elements that begin and end a block. Source: HTML Standard, section 15.3, `display: block`."""
_NO_TABLE: Final = "table, h1, h2, h3, h4, h5, h6, pre, ul, ol, dl"
"""Where a row holds one of these, the table lays out the page and is no table."""
_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_CHARSET_WITHIN_BYTES: Final = 4096
"""Source: HTML Standard, section 4.2.5.4, which says 1024; pages are late with it."""
_DEPTH_MAX: Final = 10_000
"""A page of deeper elements was made to break its readers."""


def parse_html(data: bytes, *, source: str, text_max_chars: int) -> Document:
    """Read a page; the encoding is that of its `meta` element, else what text is in.

    Raises:
        DocumentError: There is no text in it.
    """
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    tree = _parsed(data, source=source)
    title = tree.css_first("title")
    _Walk(builder).through(_main_part(tree), source=source)
    if title is not None and one_line(title.text()):
        builder.title = title.text()
    return builder.finished()


def blocks_of_html(html: str, *, source: str, text_max_chars: int) -> Sequence[Block]:
    """Read a piece of HTML inside another document; empty where nothing is to be seen."""
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    _Walk(builder).through(_main_part(_parsed(html.encode(), source=source)), source=source)
    try:
        return builder.finished().blocks
    except DocumentError:
        return ()


def _parsed(data: bytes, *, source: str) -> LexborHTMLParser:
    tree = LexborHTMLParser(_text(data, source=source))
    if tree.root is None:
        raise DocumentError(source=source, problem="there is no page in it", remedy="Leave it out.")
    return tree


def _text(data: bytes, *, source: str) -> str:
    named = None
    if not data.startswith(codecs.BOM_UTF8):
        named = _CHARSET.search(data, 0, _CHARSET_WITHIN_BYTES)
    if named is not None:
        with suppress(LookupError, UnicodeDecodeError):
            return data.decode(named.group(1).decode("ascii"))
    return decoded(data, source=source)


def _main_part(tree: LexborHTMLParser) -> LexborNode:
    for node in tree.css(_UNREAD):
        node.decompose()
    body = tree.body or tree.root
    if body is None:
        msg = "a parsed page has a root"
        raise AssertionError(msg)
    found = tree.css(_MAIN)
    if not found:
        return body
    largest = max(found, key=lambda node: len(node.text()))
    return largest if len(largest.text()) >= _MAIN_SHARE * len(body.text()) else body


class _Walk:
    """Goes through the elements in reading order, without recursion: pages nest as they like."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._text: list[str] = []
        self._opening = ""
        """What the next block begins with: the mark of a list's point, or the term it explains."""
        self._lists: list[int | None] = []
        self._names: list[str] = []

    def through(self, root: LexborNode, *, source: str) -> None:
        steps: list[tuple[LexborNode, Path | None]] = [(root, None)]
        while steps:
            if len(steps) > _DEPTH_MAX:
                raise DocumentError(
                    source=source, problem="it is nested too deeply", remedy="Leave it out."
                )
            node, entered_at = steps.pop()
            tag = node.tag or ""
            if entered_at is not None:
                self._leave(tag)
                if tag in _BLOCKS:
                    self._builder.leave(entered_at)
                if node.next is not None and steps:
                    steps.append((node.next, None))
                continue
            steps.append((node, self._builder.path))
            if self._enters(node, tag) and node.child is not None:
                steps.append((node.child, None))
        self._flush()

    def _enters(self, node: LexborNode, tag: str) -> bool:
        """Take what begins with a node; tells whether its children are to be read."""
        if node.is_text_node:
            self._text.append(node.text(deep=False))
            return False
        if tag in _HEADINGS:
            self._flush()
            self._builder.heading(node.text(), level=_HEADINGS[tag])
            return False
        if tag == "pre":
            self._flush()
            self._builder.block(node.text(), kind=BlockKind.CODE)
            return False
        if tag == "tr" and node.css_first(_NO_TABLE) is None:
            self._flush()
            self._row(node)
            return False
        self._begin(node, tag)
        return not node.is_comment_node

    def _begin(self, node: LexborNode, tag: str) -> None:
        if tag in _BLOCKS:
            self._flush()
        match tag:
            case "br":
                self._text.append("\n")
            case "ul" | "ol":
                self._lists.append(1 if tag == "ol" else None)
            case "li":
                self._opening = self._bullet()
            case "table":
                self._names = []
            case "img":
                self._text.append(f" {node.attributes.get('alt') or ''} ")
            case _:
                pass

    def _leave(self, tag: str) -> None:
        if tag == "dt":
            term = one_line("".join(self._text))
            self._text = []
            self._opening = f"{self._opening.removesuffix(': ')}, {term}: ".removeprefix(", ")
        elif tag == "dl" and self._opening:
            # A term that nothing explains.
            self._builder.block(self._opening.removesuffix(": "), kind=BlockKind.LIST_ITEM)
            self._opening = ""
        if tag in _BLOCKS and tag != "dt":
            self._flush()
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()

    def _bullet(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _row(self, row: LexborNode) -> None:
        cells = [cell for cell in row.iter() if cell.tag in {"td", "th"}]
        texts = [one_line(cell.text(separator=" ")) for cell in cells]
        if not self._names and cells and all(cell.tag == "th" for cell in cells):
            self._names = texts
        else:
            self._builder.row(self._names, texts)

    def _flush(self) -> None:
        text = one_line("".join(self._text))
        self._text = []
        if text:
            kind = BlockKind.LIST_ITEM if self._opening else BlockKind.PARAGRAPH
            self._builder.block(f"{self._opening}{text}", kind=kind)
            self._opening = ""
