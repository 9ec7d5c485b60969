"""Does a text try to take the agent over: this file holds the search for phrases that do.

A list of phrases finds what people copy from each other, in thirteen languages and under the common
disguises. It does not understand: who finds new words gets through. What an agent must never do
belongs into a tool policy.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from smallhold.agents.guardrails.normalisation import fold, has_hidden_text, views
from smallhold.agents.guardrails.phrases import Family, phrases

ASKED_FOR: Final = frozenset(Family) - {Family.ADDRESS}
"""What no user's message should hold."""
_MARKUP: Final = re.compile(
    r"<\|?\s{0,3}/?\s{0,3}(?:im_start|im_end|im_sep|system|endoftext|eot_id|eom_id|begin_of_text|"
    r"end_of_text|start_header_id|end_header_id|assistant|user|end|python_tag|tool_call|"
    r"tool_response|channel|message)\s{0,3}\|>"
    r"|</?\s{0,3}(?:start_of_turn|end_of_turn|tool_call|tool_response|tool_result|function_call|"
    r"system_prompt|system|sys|system-reminder)\s{0,3}>"
    r"|\[/?(?:inst|system_prompt|available_tools|tool_calls|tool_results)\]|<</?sys>>"
    r"|(?:^|\n)[ \t]{0,9}#{2,6}[ \t]{0,9}(?:system|instructions? for the (?:ai|assistant|model))"
    r"\s{0,3}:"
    r"|(?:^|\n)[ \t]{0,9}\[?(?:system|developer)(?: message| prompt| note| override)?\]?\s{0,3}:"
    r"\s{0,9}(?:you|ignore|new|from|the assistant|override|disregard|forget|do|always|never|all)\b"
)
"""Marks of chat templates (ChatML, Llama 2 to 4, Gemma, Mistral, Phi, GPT-OSS) in folded text, and
lines that pose as a system's message: whoever writes them wants to end his own turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found. It holds nothing of the text, so it may be logged."""

    family: Family
    language: str
    """ISO 639-1; empty for marks, which belong to none."""


def find_injections(text: str, families: Collection[Family] = ASKED_FOR) -> tuple[Finding, ...]:
    """List the ways in which a text tries to take an agent over.

    Args:
        text: Any text, disguised or not.
        families: What to look for.
    """
    found: dict[Finding, None] = {}
    if Family.MARKUP in families and (_MARKUP.search(fold(text)) or has_hidden_text(text)):
        found[Finding(family=Family.MARKUP, language="")] = None
    readings = views(text)
    for phrase in phrases():
        finding = Finding(family=phrase.family, language=phrase.language)
        if phrase.family not in families or finding in found:
            continue
        if any(phrase.is_in(reading) for reading in readings):
            found[finding] = None
    return tuple(found)
