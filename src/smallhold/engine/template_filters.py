"""The filters that a chat template may use: this file holds a capped version of each.

Only what the chat templates in the wild need. Filters that reach into objects (`attr`), format
(`format`, `pprint`), pad (`center`) or read regular expressions over text (`urlize`, `wordwrap`)
are unknown here, and so is every other.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import ParamSpec, cast

from jinja2.filters import FILTERS
from jinja2.runtime import Undefined

from smallhold.engine import template_strings as strings
from smallhold.engine.template_budget import current
from smallhold.engine.template_json import MAX_INDENT, write_json
from smallhold.engine.template_text import MarkedText
from smallhold.exceptions import ChatTemplateError

P = ParamSpec("P")


def printed(value: object) -> str:
    """What `{{ value }}` prints, sizes checked first.

    Raises:
        ChatTemplateError: The value is an object of the template engine, not data.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, dict)):
        current().budget.contain(cast("object", value))
        return str(cast("object", value))
    if value is None or isinstance(value, (int, float, Undefined)):
        return str(value)
    raise ChatTemplateError(problem=f"prints a {type(value).__name__}, which is not text")


def _text(value: object) -> MarkedText:
    return current().marks.adopt(printed(value))


def trim(value: object, chars: str | None = None) -> MarkedText:
    """Without white space, or `chars`, at both ends."""
    return strings.strip(_text(value), chars)


def upper(value: object) -> MarkedText:
    """In upper case."""
    return strings.upper(_text(value))


def lower(value: object) -> MarkedText:
    """In lower case."""
    return strings.lower(_text(value))


def title(value: object) -> MarkedText:
    """Each word with a capital."""
    return strings.title(_text(value))


def capitalize(value: object) -> MarkedText:
    """The first letter as a capital."""
    return strings.capitalize(_text(value))


def replace(value: object, old: str, new: str, count: int | None = None) -> MarkedText:
    """With each `old` as `new`."""
    return strings.replace(_text(value), old, new, -1 if count is None else count)


def join(value: Iterable[object], d: object = "") -> MarkedText:
    """The items as one text with `d` between them."""
    current().budget.iterates(value)
    return strings.join(_text(d), [printed(item) for item in value])


def indent(
    value: object,
    width: int | str = 4,
    first: bool = False,  # noqa: FBT001, FBT002 - the filter's own signature
    blank: bool = False,  # noqa: FBT001, FBT002 - the filter's own signature
) -> MarkedText:
    """With `width` spaces before each line but the first."""
    space = " " * min(width, MAX_INDENT) if isinstance(width, int) else width
    text = _text(value)
    current().budget.fits(len(text) + len(space) * (text.plain.count("\n") + 1))
    lines = strings.splitlines(strings.join(_text(""), [text, "\n"]))
    rest = [space + line if line or blank else line for line in lines[1:]]
    return strings.join(_text("\n"), [(space if first else "") + lines[0], *rest])


def escape(value: object) -> MarkedText:
    """With the five characters of HTML written as entities."""
    current().budget.fits(5 * len(printed(value)))
    return current().marks.rewrite(printed(value), _entities)


def _entities(run: str) -> str:
    return html.escape(run, quote=True).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def tojson(
    value: object,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - Hugging Face's signature
    indent: int | None = None,
    separators: Sequence[str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002 - Hugging Face's signature
) -> MarkedText:
    """The value as JSON."""
    current().budget.contain(value)
    pair = None if separators is None else (separators[0], separators[1])
    return write_json(
        value,
        current().marks,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=pair,
        sort_keys=sort_keys,
    )


def safe(value: object) -> str:
    """The text itself: a prompt is no HTML, so nothing is escaped that this could prevent."""
    return printed(value)


def to_int(value: object, default: int = 0) -> int:
    """As a whole number, or `default`."""
    try:
        return int(float(_readable(value)))
    except (TypeError, ValueError, OverflowError):
        return default


def to_float(value: object, default: float = 0.0) -> float:
    """As a number, or `default`."""
    try:
        return float(_readable(value))
    except (TypeError, ValueError, OverflowError):
        return default


def _readable(value: object) -> str | float:
    if isinstance(value, str):
        return current().marks.plain(value)
    return cast("float", value)


def _metered(function: Callable[P, object], *, walks: bool) -> Callable[P, object]:
    """Count a filter as a step and its result against the caps; lists instead of generators."""

    @wraps(function)
    def metered(*args: P.args, **kwargs: P.kwargs) -> object:
        budget = current().budget
        budget.step()
        if walks:
            for arg in args:
                budget.iterates(arg)
        result = function(*args, **kwargs)
        return account(result)

    return metered


def account(result: object) -> object:
    """Count a value that the template made against the caps."""
    budget = current().budget
    if isinstance(result, str):
        budget.produce(result)
        return result
    if isinstance(result, Iterable) and not isinstance(result, (Sequence, dict, Undefined)):
        result = list(cast("Iterable[object]", result))
    if isinstance(result, (list, tuple, dict)):
        budget.contain(cast("object", result))
    return cast("object", result)


_OURS: dict[str, Callable[..., object]] = {
    "trim": trim, "upper": upper, "lower": lower, "title": title, "capitalize": capitalize,
    "replace": replace, "join": join, "indent": indent, "escape": escape, "e": escape,
    "tojson": tojson, "safe": safe, "string": printed, "int": to_int, "float": to_float,
}  # fmt: skip
_LOOKING = ("first", "last", "length", "count", "default", "d", "abs")
_WALKING = (
    "list", "map", "select", "reject", "selectattr", "rejectattr", "items", "dictsort", "sort",
    "unique", "reverse", "min", "max",
)  # fmt: skip
_JINJAS = cast("dict[str, Callable[..., object]]", FILTERS)

CHAT_FILTERS: dict[str, Callable[..., object]] = {
    **{name: _metered(function, walks=False) for name, function in _OURS.items()},
    **{name: _metered(_JINJAS[name], walks=False) for name in _LOOKING},
    **{name: _metered(_JINJAS[name], walks=True) for name in _WALKING},
}
"""Every filter that a chat template may name."""
