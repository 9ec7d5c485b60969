"""JSON as Hugging Face's templates expect it: this file holds its writer for marked values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from smallhold.engine.template_text import MarkedText, Marks

MAX_INDENT = 16
"""More than any template uses; an indent is multiplied by the number of lines."""


def write_json(
    value: object,
    marks: Marks,
    *,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> MarkedText:
    """`json.dumps` of a value that may hold marked texts.

    JSON of untrusted values is untrusted as a whole, punctuation included, and so stays in one
    piece for the tokenizer.

    Source: `tojson` in `transformers.utils.chat_template_utils`: keys in the given order, no HTML
    escaping, unlike Jinja's own filter.

    Raises:
        TypeError: The value is nothing that JSON knows.
    """
    plain = _Plain(marks)
    text = json.dumps(
        plain.value(value),
        ensure_ascii=ensure_ascii,
        indent=None if indent is None else max(0, min(indent, MAX_INDENT)),
        separators=separators,
        sort_keys=sort_keys,
    )
    return marks.mark(text) if plain.has_marks else marks.adopt(text)


class _Plain:
    """Takes the marks off nested values and remembers whether there were any."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self.has_marks = False

    def value(self, value: object) -> object:
        """The value without marks."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            items = cast("Mapping[object, object]", value).items()
            return {self.value(key): self.value(item) for key, item in items}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in cast("list[object]", value)]
        return value

    def _text(self, text: str) -> str:
        plain = self._marks.plain(text)
        # Compared as exact strings: `MarkedText` would say that it equals its plain form.
        self.has_marks = self.has_marks or str.__ne__(text, plain)
        return plain
