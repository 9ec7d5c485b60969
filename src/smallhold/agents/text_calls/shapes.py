"""Which JSON is a call: this file holds the shapes in which models write calls as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from smallhold.agents.text_calls.calls import Offered, TextCall
from smallhold.agents.text_calls.loose_values import Read, read_value
from smallhold.agents.text_calls.meant_names import meant_name
from smallhold.messages import JsonObject, JsonValue

NAME_KEYS: Final = ("name", "tool", "tool_name", "function", "function_name", "action")
"""Keys of the tool's name. Sources: OpenAI's API (`name`), Llama 3's and Mistral's templates
(`name`), ReAct agents (`action`), smolagents (`name`), LangChain (`tool`)."""
ARGUMENT_KEYS: Final = (
    "arguments", "parameters", "args", "input", "tool_input", "action_input", "params", "kwargs",
)  # fmt: skip
"""Keys of the arguments, from the same sources."""
_LIST_KEYS: Final = ("tool_calls", "function_calls", "calls")
_PLAIN_ARGUMENT_KEYS: Final = ("arguments", "parameters")
_BESIDE: Final = frozenset({"id", "type", "call_id", "tool_call_id", "index"})
"""Keys that stand in calls beside name and arguments."""


class Place(StrEnum):
    """Where JSON stands, which says how surely it is meant as a call."""

    MARKED = "marked"
    """Between marks of a call: a name without arguments, and any name, are calls too."""
    FIRST = "first"
    """At the beginning of a reply: `{"name": ..., "arguments": {...}}` of any name is a call."""
    INSIDE = "inside"
    """In the middle of prose: only calls of offered tools are calls."""


def calls_of(value: JsonValue, offered: Offered, *, place: Place) -> tuple[TextCall, ...] | None:
    """Read JSON as calls; `None` where it is something else."""
    if isinstance(value, list):
        return _all_calls(value, offered, place=place)
    if not isinstance(value, dict):
        return None
    for key in _LIST_KEYS:
        listed = value.get(key)
        if isinstance(listed, list):
            return _all_calls(listed, offered, place=place)
    inner = value.get("function")
    if isinstance(inner, dict):
        return calls_of(inner, offered, place=place)
    call = _named(value, offered, place=place) or _keyed(value, offered)
    return None if call is None else (call,)


def _all_calls(
    values: list[JsonValue], offered: Offered, *, place: Place
) -> tuple[TextCall, ...] | None:
    calls: list[TextCall] = []
    for value in values:
        found = calls_of(value, offered, place=place)
        if found is None:
            return None
        calls += found
    return tuple(calls) or None


def _named(value: JsonObject, offered: Offered, *, place: Place) -> TextCall | None:
    """Read `{"name": ..., "arguments": ...}`."""
    name_key = next((key for key in NAME_KEYS if isinstance(value.get(key), str)), None)
    if name_key is None:
        return None
    written = str(value[name_key])
    name = meant_name(written, offered.names)
    argument_key = next((key for key in ARGUMENT_KEYS if key in value), None)
    if argument_key is not None:
        if name is None and not _may_be_unknown(value, name_key, argument_key, place):
            return None
        return text_call(name or written, value[argument_key])
    if place is not Place.MARKED:
        return None
    beside = {key: one for key, one in value.items() if key != name_key and key not in _BESIDE}
    return text_call(name or written, beside)


def _may_be_unknown(value: JsonObject, name_key: str, argument_key: str, place: Place) -> bool:
    """Tell whether this is a call though no tool has its name."""
    if place is not Place.FIRST:
        return place is Place.MARKED
    others = value.keys() - {name_key, argument_key} - _BESIDE
    is_plain = argument_key in _PLAIN_ARGUMENT_KEYS and isinstance(value[argument_key], dict)
    return is_plain and not others and str(value[name_key]).isidentifier()


def _keyed(value: JsonObject, offered: Offered) -> TextCall | None:
    """Read `{"order_status": {"order_id": "1042"}}`."""
    if len(value) != 1:
        return None
    (name, arguments), *_ = value.items()
    if name not in offered.names or not isinstance(arguments, dict):
        return None
    is_fitting = arguments.keys() <= set(offered.parameters(name))
    return TextCall(name=name, arguments=arguments) if is_fitting else None


def text_call(name: str, arguments: JsonValue) -> TextCall:
    """Make a call of arguments in any form; text that holds an object is read once more."""
    if isinstance(arguments, dict):
        return TextCall(name=name, arguments=arguments)
    if arguments is None:
        return TextCall(name=name, arguments={})
    if not isinstance(arguments, str):
        return TextCall(name=name, arguments={}, raw_arguments=str(arguments))
    repaired = mended_arguments(arguments)
    if repaired is None:
        return TextCall(name=name, arguments={}, raw_arguments=arguments)
    return TextCall(name=name, arguments=repaired)


def mended_arguments(text: str) -> JsonObject | None:
    """Read arguments that are no strict JSON but leave no doubt; `None` where they do.

    Blank text stands for no arguments, as in many servers' replies.
    """
    if not text.strip():
        return {}
    reading = read_value(text)
    if not isinstance(reading, Read) or text[reading.end :].strip():
        return None
    return reading.value if isinstance(reading.value, dict) else None
