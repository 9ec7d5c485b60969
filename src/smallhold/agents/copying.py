"""Copying rather than composing: this file holds what is done about values that nobody mentioned.

In the development half of BFCL, the right text argument stands in the user's message in more than
nine rows of ten. So a value that a small model composed is suspect: an optional one is left out,
and a required number or text is chosen again among what was said. Everything else stays as decoded.
Source: `docs/accuracy.md`, ablation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

from smallhold.agents.adapting import PLAIN_TEXT_KEYWORDS, adapted, named_values
from smallhold.agents.argument_schema import MAX_DECODED_INTEGER
from smallhold.agents.grounding import is_identifier
from smallhold.agents.mentions import PERCENT, Said, looks_like_date, numerals
from smallhold.agents.signatures import property_schemas, required_names
from smallhold.messages import JsonObject, JsonValue

MAX_SPANS: Final = 300
"""Spans of a message offered for one text argument: four words deep, about 75 words."""
_OTHER_NUMBER_KEYWORDS: Final = frozenset({
    "enum", "const", "multipleOf", "exclusiveMinimum", "exclusiveMaximum",
    "anyOf", "oneOf", "allOf", "not", "$ref",
})  # fmt: skip
"""Under these nothing is offered, so that whatever is chosen stays valid."""
_FREE_TEXT_KEYWORDS: Final = PLAIN_TEXT_KEYWORDS | {"pattern", "minLength", "maxLength"}
_SHARE_DECIMALS: Final = 9
_TIME_WORD: Final = re.compile(r"day|date|month|year|time|hour|minute|clock", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What becomes of decoded arguments."""

    arguments: JsonObject
    """Without the optional values that nobody mentioned."""
    narrowed: JsonObject | None
    """A schema to decode again under, where something must be chosen anew; all that was mentioned
    is fixed in it, so only the choices cost a pass."""
    unmentioned: int
    """How many decoded texts and numbers nobody mentioned, optional ones included: a tool that fits
    the message needs few."""
    invented: tuple[str, ...]
    """The required arguments whose decoded texts and numbers nobody mentioned."""


def revise(
    arguments: JsonObject, schema: JsonObject, *, said: Said, asked: Said | None = None
) -> Revision:
    """Check decoded arguments against what was said.

    Args:
        arguments: Valid under `schema`.
        schema: The tool's parameters, with the forms that its descriptions state.
        said: What the user and earlier tools have said.
        asked: The message that the call is for, by default all that was said: what it names
            among an argument's values is meant.
    """
    names = required_names(schema)
    schemas = property_schemas(schema)
    spare = _spare_numbers(arguments, names, said=said)
    kept: JsonObject = {}
    choices: JsonObject = {}
    unmentioned = 0
    invented: list[str] = []
    for name, decoded in arguments.items():
        inner = schemas.get(name, {})
        value = adapted(decoded, name=name, said=said, schema=inner)
        options: list[JsonValue] = []
        is_required = name in names
        is_taken = not is_required and _is_number(value) and spare.get(value, 1) <= 0
        if is_taken or not _is_mentioned(
            value, name=name, said=said, schema=inner, is_required=is_required
        ):
            unmentioned += _says_something(value)
            if is_required and _says_something(value):
                invented.append(name)
            options = (
                []
                if is_taken
                else _options(value, inner, said=said, others=arguments, is_required=is_required)
            )
            if not is_required and not options:
                continue
        kept[name] = value
        choices[name] = {"enum": options} if options else {"const": value}
    for name, value in named_values(schema, said=asked or said).items():
        if name not in kept:
            kept[name] = value
            choices[name] = {"const": value}
    for name in _repeated(kept, names, schemas=schemas, said=said):
        del kept[name], choices[name]
    return Revision(
        arguments=kept,
        narrowed=_object_schema(choices) if _has_choice(choices) else None,
        unmentioned=unmentioned,
        invented=tuple(invented),
    )


def _repeated(
    arguments: JsonObject,
    required: Collection[JsonValue],
    *,
    schemas: Mapping[str, JsonObject],
    said: Said,
) -> tuple[str, ...]:
    """Name the texts that can be left out and only repeat what another argument holds.

    What was said once fills one argument: a required one, else one that is no free text, else one
    whose name was said, else the first.
    """
    by_text: dict[str, list[str]] = {}
    for name, value in arguments.items():
        if value != "" and isinstance(value, str | int | float) and not isinstance(value, bool):
            by_text.setdefault(str(value).casefold(), []).append(name)
    found: list[str] = []
    for names in by_text.values():
        free = {
            name
            for name in names
            if isinstance(arguments[name], str)
            and schemas.get(name, {}).keys() <= _FREE_TEXT_KEYWORDS
        }
        rank = sorted(
            names,
            key=lambda name: (
                name not in required,
                name in free,
                not said.mentions(name, name=""),
            ),
        )
        found += [name for name in rank[1:] if name not in required and name in free]
    return tuple(found)


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spare_numbers(
    arguments: JsonObject, required: Collection[JsonValue], *, said: Said
) -> dict[float, int]:
    """Count how much oftener each number is said than required arguments take it.

    What is left may fill what can be left out: in "each hour for 6 hours" one argument is 6.
    """
    taken = Counter(
        number
        for name, value in arguments.items()
        if name in required
        for written in _numbers_in(value)
        for number in _written_or_share(written, said=said)
    )
    return {number: times - taken[number] for number, times in said.number_counts.items()}


def _written_or_share(number: float, *, said: Said) -> tuple[float, ...]:
    """Give both ways to read what was said once: 8 and 0.08 for "8%"."""
    if abs(number) > MAX_DECODED_INTEGER:
        return (number,)
    if said.is_percentage(number):
        return number, number / PERCENT
    if said.is_percentage(number * PERCENT):
        # 0.57 * 100 is 56.99...
        return number, round(number * PERCENT, _SHARE_DECIMALS)
    return (number,)


def _says_something(value: JsonValue) -> bool:
    """Tell a composed text or number from a default such as false or an empty text."""
    return value not in {"", False, True} if isinstance(value, str | bool) else True


def _is_mentioned(
    value: JsonValue, *, name: str, said: Said, schema: JsonObject, is_required: bool
) -> bool:
    if isinstance(value, str):
        if "," in value:
            # "Boston, MA" for "Boston": with what the tool needs added.
            value = value.partition(",")[0]
        elif looks_like_date(value):
            return said.has_when_of(value)
        elif is_required and "pattern" in schema:
            # The form that the tool asks for is seldom that in which users say it.
            return True
    if not is_required and _is_number(value) and not _is_of_time(name, schema):
        return said.counts(value)
    return said.mentions(value, name=name)


def _is_of_time(name: str, schema: JsonObject) -> bool:
    return _TIME_WORD.search(f"{name} {schema.get('description')}") is not None


def _options(
    value: JsonValue, schema: JsonObject, *, said: Said, others: JsonObject, is_required: bool
) -> list[JsonValue]:
    """List what an unmentioned value may be replaced by; empty where it cannot be copied."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [number for number in _free_numbers(said, others) if _allows(schema, number)]
    if isinstance(value, str) and looks_like_date(value):
        return []
    if isinstance(value, str) and is_required and schema.keys() <= PLAIN_TEXT_KEYWORDS:
        spans = said.spans()
        if is_identifier(value):
            # Without one that was said, none is chosen: the user is asked instead.
            spans = tuple(span for span in spans if is_identifier(span))
        return list(spans[:MAX_SPANS])
    return []


def _free_numbers(said: Said, others: JsonObject) -> list[int | float]:
    """List the numbers in digits that no argument has taken, whole ones as integers.

    Number words are left out: in "two sets of values" the two is no value.
    """
    taken = {number for value in others.values() for number in _numbers_in(value)}
    free = dict.fromkeys(
        number
        for number in numerals(said.undated)
        if number not in taken and abs(number) <= MAX_DECODED_INTEGER
    )
    return [int(number) if number.is_integer() else number for number in free]


def _numbers_in(value: JsonValue) -> Iterator[float]:
    match value:
        case bool():
            return
        case int() | float():
            yield value
        case list():
            for item in value:
                yield from _numbers_in(item)
        case dict():
            yield from _numbers_in(list(value.values()))
        case _:
            return


def _allows(schema: JsonObject, number: float) -> bool:
    kind = schema.get("type", "number")
    takes_fractions = "number" in kind if isinstance(kind, list) else kind == "number"
    if not takes_fractions and not float(number).is_integer():
        return False
    if schema.keys() & _OTHER_NUMBER_KEYWORDS:
        return False
    low, high = schema.get("minimum"), schema.get("maximum")
    above = not isinstance(low, int | float) or number >= low
    return above and (not isinstance(high, int | float) or number <= high)


def _has_choice(choices: JsonObject) -> bool:
    return any(isinstance(choice, dict) and "enum" in choice for choice in choices.values())


def _object_schema(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
