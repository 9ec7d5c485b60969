"""Calls as XML writes them: this file holds the reading of elements."""

from __future__ import annotations

import re
from typing import Final

from smallhold.agents.text_calls.calls import Found, Look, Match, Offered, TextCall
from smallhold.agents.text_calls.loose_values import Read, read_value
from smallhold.agents.text_calls.meant_names import meant_name
from smallhold.agents.text_calls.shapes import text_call
from smallhold.messages import JsonValue

_ELEMENT: Final = re.compile(
    r"<(?P<tag>function|invoke)(?:=|\s+name=)\s*[\"']?(?P<name>[\w.-]+)[\"']?\s*>"
)
"""`<function=f>` of Llama 3.1, Functionary and Qwen3-Coder; `<invoke name="f">` of others."""
_PARAMETER: Final = re.compile(
    r"<(?P<tag>parameter|param|arg)(?:=|\s+name=)\s*[\"']?(?P<name>[\w.-]+)[\"']?\s*>"
    r"(?P<value>.*?)</(?P=tag)>",
    re.DOTALL,
)
_NAMED_PARTS: Final = re.compile(
    r"\s*<(?:name|tool_name)>(?P<name>.*?)</(?:name|tool_name)>\s*"
    r"<(?P<tag>arguments|parameters|input)>(?P<value>.*?)</(?P=tag)>",
    re.DOTALL,
)
_TAG_BEGINNING: Final = re.compile(r"</?(?:[a-z_]|$)")


def read_elements(text: str, at: int, offered: Offered) -> Match:
    """Read `<function=f>...</function>`, `<invoke name="f">...</invoke>` or named parts."""
    element = _ELEMENT.match(text, at)
    if element is None:
        return _read_named_parts(text, at, offered)
    closer = f"</{element['tag']}>"
    end = text.find(closer, element.end())
    if end < 0:
        return Look.MORE
    call = _call(element["name"], text[element.end() : end], offered)
    return Found(calls=(call,), end=end + len(closer))


def _call(written: str, body: str, offered: Offered) -> TextCall:
    name = meant_name(written, offered.names) or written
    parameters = list(_PARAMETER.finditer(body))
    if not parameters:
        return text_call(name, body.strip())
    arguments = {one["name"]: _value(one["value"]) for one in parameters}
    return TextCall(name=name, arguments=arguments)


def _read_named_parts(text: str, at: int, offered: Offered) -> Match:
    parts = _NAMED_PARTS.match(text, at)
    if parts is None:
        return Look.MORE if _TAG_BEGINNING.match(text, at) else Look.NOTHING
    name = meant_name(parts["name"], offered.names) or parts["name"].strip()
    return Found(calls=(text_call(name, parts["value"].strip()),), end=parts.end())


def _value(text: str) -> JsonValue:
    """Read an element's text: lists and objects as such, all else as the text that it is."""
    bare = text.strip()
    if bare[:1] in {"{", "["}:
        reading = read_value(bare)
        if isinstance(reading, Read) and reading.end == len(bare):
            return reading.value
    return bare
