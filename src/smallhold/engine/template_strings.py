"""The string methods that a chat template may call: this file holds one function for each.

They work on `MarkedText`, so each character keeps its author, and they know their result's size
before they make it. Methods that pad or format (`format`, `center`, `zfill`) are not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from smallhold.engine.template_budget import current
from smallhold.engine.template_text import MARKED_RUN, MarkedText, concatenate


def _plain(text: str | None) -> str | None:
    return None if text is None else current().marks.plain(text)


def strip(text: MarkedText, chars: str | None = None, /) -> MarkedText:
    """`str.strip`."""
    return rstrip(lstrip(text, chars), chars)


def lstrip(text: MarkedText, chars: str | None = None, /) -> MarkedText:
    """`str.lstrip`."""
    return text[len(text) - len(text.plain.lstrip(_plain(chars))) :]


def rstrip(text: MarkedText, chars: str | None = None, /) -> MarkedText:
    """`str.rstrip`."""
    return text[: len(text.plain.rstrip(_plain(chars)))]


def _located(text: MarkedText, pieces: Sequence[str], *, gap: int | None) -> list[MarkedText]:
    """Cut `text` where its plain form was cut: `gap` characters apart, or searched if `None`."""
    plain = text.plain
    found: list[MarkedText] = []
    end = 0
    for piece in pieces:
        start = plain.index(piece, end) if gap is None else end
        found.append(text[start : start + len(piece)])
        end = start + len(piece) + (gap or 0)
    return found


def split(text: MarkedText, sep: str | None = None, maxsplit: int = -1) -> list[MarkedText]:
    """`str.split`."""
    pieces = text.plain.split(_plain(sep), maxsplit)
    current().budget.iterates(pieces)
    return _located(text, pieces, gap=None if sep is None else len(sep))


def rsplit(text: MarkedText, sep: str | None = None, maxsplit: int = -1) -> list[MarkedText]:
    """`str.rsplit`."""
    pieces = text.plain.rsplit(_plain(sep), maxsplit)
    current().budget.iterates(pieces)
    return _located(text, pieces, gap=None if sep is None else len(sep))


def splitlines(text: MarkedText, keepends: bool = False) -> list[MarkedText]:  # noqa: FBT001, FBT002 - str's own signature
    """`str.splitlines`."""
    pieces = text.plain.splitlines(keepends)
    current().budget.iterates(pieces)
    return _located(text, pieces, gap=None)


def partition(text: MarkedText, sep: str, /) -> tuple[MarkedText, ...]:
    """`str.partition`."""
    return tuple(_located(text, text.plain.partition(sep_plain(sep)), gap=0))


def rpartition(text: MarkedText, sep: str, /) -> tuple[MarkedText, ...]:
    """`str.rpartition`."""
    return tuple(_located(text, text.plain.rpartition(sep_plain(sep)), gap=0))


def sep_plain(sep: str) -> str:
    """A separator without its marks."""
    return current().marks.plain(sep)


def removeprefix(text: MarkedText, prefix: str, /) -> MarkedText:
    """`str.removeprefix`."""
    return text[len(prefix) :] if text.plain.startswith(sep_plain(prefix)) else text


def removesuffix(text: MarkedText, suffix: str, /) -> MarkedText:
    """`str.removesuffix`."""
    matches = suffix and text.plain.endswith(sep_plain(suffix))
    return text[: len(text) - len(suffix)] if matches else text


def replace(text: MarkedText, old: str, new: str, count: int = -1, /) -> MarkedText:
    """`str.replace`; what was replaced takes the author of the replacement."""
    plain, plain_old = text.plain, sep_plain(old)
    hits = plain.count(plain_old) if count < 0 else min(count, plain.count(plain_old))
    current().budget.fits(len(text) + hits * (len(new) - len(old)))
    if not old:
        return current().marks.mark(plain.replace("", sep_plain(new), count))
    pieces = _located(text, plain.split(plain_old, count), gap=len(old))
    return concatenate([new.join(pieces)], text.marks)


def join(text: MarkedText, items: Iterable[str], /) -> MarkedText:
    """`str.join`."""
    parts = list(items)
    current().budget.fits(sum(map(len, parts)) + len(text) * len(parts))
    return concatenate([str.join(text, parts)], text.marks)


def _recased(text: MarkedText, changed: str) -> MarkedText:
    """Put the marks of `text` on `changed`; all of it is marked where lengths differ."""
    marks = text.marks
    if len(changed) != len(text):
        return marks.mark(changed)
    out = list(changed)
    for run in MARKED_RUN.finditer(text):
        out[run.start() : run.end()] = marks.mark(changed[run.start() : run.end()])
    return concatenate(out, marks)


def upper(text: MarkedText) -> MarkedText:
    """`str.upper`."""
    return _recased(text, text.plain.upper())


def lower(text: MarkedText) -> MarkedText:
    """`str.lower`."""
    return _recased(text, text.plain.lower())


def title(text: MarkedText) -> MarkedText:
    """`str.title`."""
    return _recased(text, text.plain.title())


def capitalize(text: MarkedText) -> MarkedText:
    """`str.capitalize`."""
    return _recased(text, text.plain.capitalize())


def _unmarked(value: object) -> object:
    if isinstance(value, str):
        return sep_plain(value)
    return tuple(map(_unmarked, value)) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - a tuple from the template


def _asking(name: str) -> Callable[..., object]:
    """A method whose answer is a number or a truth value, asked of the plain text."""

    def ask(text: MarkedText, /, *args: object) -> object:
        return getattr(text.plain, name)(*map(_unmarked, args))

    return ask


_ASKING = (
    "startswith", "endswith", "find", "rfind", "index", "rindex", "count", "isalnum", "isalpha",
    "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable",
    "isspace", "istitle", "isupper",
)  # fmt: skip
_SHAPING: tuple[Callable[..., object], ...] = (
    strip, lstrip, rstrip, split, rsplit, splitlines, partition, rpartition, removeprefix,
    removesuffix, replace, join, upper, lower, title, capitalize,
)  # fmt: skip
STRING_METHODS: dict[str, Callable[..., object]] = {
    **{name: _asking(name) for name in _ASKING},
    **{function.__name__: function for function in _SHAPING},
}


@dataclass(frozen=True, slots=True)
class TextMethod:
    """A method bound to a text, as a template holds it between naming and calling it."""

    text: MarkedText
    name: str

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Run the method."""
        return STRING_METHODS[self.name](self.text, *args, **kwargs)
