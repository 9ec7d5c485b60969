"""How model families mark a call in their text: this file holds the opening and closing marks.

Sources: the chat templates and model cards of Hermes, Qwen, Llama, Mistral, Phi, Functionary, LFM2
and Gemma.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from smallhold.agents.text_calls.calls import Look

_OPENING: Final = (
    "<tool_call>",
    "<tool_calls>",
    "<toolcall>",
    "<tool_use>",
    "<tool_code>",
    "<function_call>",
    "<function_calls>",
    "<functioncall>",
    "<|tool_call|>",
    "<|tool_call>",
    "<|tool_calls|>",
    "<|tool_call_start|>",
    "<|python_tag|>",
    "[tool_calls]",
    "```tool_call",
    "```tool_code",
)
"""Marks after which a call begins, in small letters."""
_PART_OF_BODY: Final = ("<function=", "<function name=", "<invoke name=", "functools[")
"""Marks that belong to the call itself."""
_BODY_AT: Final = {"functools[": len("functools")}
_CLOSING: Final = re.compile(
    r"(?:\s|[,;\]]|```|</s>|</(?:tool_calls?|toolcall|tool_use|tool_code|function_calls?|"
    r"functioncall|function|invoke)>|<\|/?(?:tool_calls?|tool_call_end|im_end|eom_id|eot_id|end)"
    r"(?:\|>|>))*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMark:
    """An opening mark that stands in a text."""

    body: int
    """Where the call's body begins."""


def open_mark(text: str, at: int) -> OpenMark | Look:
    """Tell whether an opening mark begins at a place of a text."""
    small = text[at : at + 24].lower()
    for mark in _PART_OF_BODY:
        if small.startswith(mark):
            return OpenMark(body=at + _BODY_AT.get(mark, 0))
    for mark in _OPENING:
        if small.startswith(mark):
            return OpenMark(body=at + len(mark))
    is_beginning = at + len(small) == len(text) and any(
        mark.startswith(small) for mark in (*_OPENING, *_PART_OF_BODY)
    )
    return Look.MORE if is_beginning else Look.NOTHING


def after_closing(text: str, at: int) -> int:
    """Skip closing marks, separators and white space."""
    found = _CLOSING.match(text, at)
    return at if found is None else found.end()
