"""Tool results that speak to the model: this file holds the guardrail that cuts them.

A web page, a mail or a customer's note is data. Where it holds instructions, the model reads
everything before them and a mark in their place; cutting beats marking, since a small model follows
what it reads.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal, cast

from smallhold.agents.guardrails.checks import ResultCheck
from smallhold.agents.guardrails.injection import described
from smallhold.agents.guardrails.injection_search import Finding, find_injections
from smallhold.agents.guardrails.phrases import Family
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.messages import JsonValue

MARK: Final = "[left out: text that is no data]"
"""What stands in the place of what was cut."""
_EVERYTHING: Final = frozenset(Family)
_SENTENCE_END: Final = re.compile("(?<=[.!?])(?=\\s)|(?<=[\\n\u3002\uff01\uff1f])")


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedResults:
    """Cuts, blocks or flags tool results that hold instructions to the model."""

    families: frozenset[Family] = _EVERYTHING
    action: Literal["cut", "block", "flag"] = "cut"
    trusted_tools: frozenset[str] = frozenset()
    """Tools whose results nobody else can write into; they are not looked at."""
    name: str = "injected_results"

    def check_result(self, check: ResultCheck) -> Verdict:
        """Look for instructions, in each text of a JSON result by itself."""
        if check.call.name in self.trusted_tools:
            return Verdict.ok()
        found = find_injections(check.content, self.families)
        cut = without_injections(check.content, self.families)
        if cut == check.content and not found:
            return Verdict.ok()
        reason = f"the result of {check.call.name} holds instructions: {_named(found)}"
        match self.action:
            case "cut":
                return Verdict.replace(cut, reason=reason)
            case "block":
                return Verdict.block(reason)
            case "flag":
                return Verdict.flag(reason)


def _named(found: tuple[Finding, ...]) -> str:
    return described(found) or "hidden in its JSON"


def without_injections(content: str, families: frozenset[Family] = _EVERYTHING) -> str:
    """Cut a result's texts where they begin to speak to the model.

    Args:
        content: A result: a text, or JSON whose texts are looked at one by one.
        families: What to look for.

    Returns:
        The content itself where nothing is found. What is returned holds none of the phrases.
    """
    try:
        value = cast("JsonValue", json.loads(content)) if content[:1] in "{[" else content
    except (ValueError, RecursionError):
        value = content
    cleaned = _cleaned(value, families)
    if cleaned == value:
        # Phrases may also be spread over several texts, which stand together in the model's eyes.
        return MARK if find_injections(content, families) else content
    if isinstance(cleaned, str):
        return cleaned
    written = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
    return MARK if find_injections(written, families) else written


def _cleaned(value: JsonValue, families: frozenset[Family]) -> JsonValue:
    match value:
        case str():
            return _cut(value, families)
        case list():
            return [_cleaned(item, families) for item in value]
        case dict():
            return {_cut(key, families): _cleaned(item, families) for key, item in value.items()}
        case _:
            return value


def _cut(text: str, families: frozenset[Family]) -> str:
    """Keep the sentences before the first that says it. What follows belongs to it."""
    if not find_injections(text, families):
        return text
    sentences = _SENTENCE_END.split(text)
    # The more sentences, the more is found, so the first bad one is searched by halves.
    kept = bisect_left(
        range(1, len(sentences) + 1),
        1,
        key=lambda count: bool(find_injections("".join(sentences[:count]), families)),
    )
    result = f"{''.join(sentences[:kept]).rstrip()} {MARK}".lstrip()
    # Some arise only from what was kept and the mark, or in an encoded part.
    return MARK if find_injections(result, families) else result
