"""How what is left out is written: this file holds marks and the text of calls."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from smallhold.messages import ToolCall

SEPARATOR: Final = " | "
"""Between facts on one line. No fact holds the bar, so a line can be read back."""
_LEFT_OUT: Final = re.compile(
    r"\[left out: the result of [^\n\]]{1,80}, [\d,]+ tokens(?:; kept of it: (?P<facts>[^\n]+))?\]"
)
_CUT: Final = re.compile(r"\n\[cut here: ([\d,]+) more characters were left out\]$")


def call_text(call: ToolCall) -> str:
    """Write a call on one line: the tool's name and its arguments as JSON."""
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    # JSON knows no other place for a bar than inside of strings, where it may be escaped.
    return f"{' '.join(call.name.split())} {arguments}".replace("|", "\\u007c")


def calls_text(calls: Sequence[ToolCall]) -> str:
    """Write calls, one a line."""
    return "\n".join(call_text(call) for call in calls)


def left_out_mark(tool: str, *, tokens: int, facts: Sequence[str]) -> str:
    """Write what stands instead of a tool's result.

    Args:
        tool: The tool's name; shortened, and freed of what would end the mark.
        tokens: How many tokens the result had.
        facts: What is kept of it, word for word, none with a bar or a line break.
    """
    name = re.sub(r"[\s\[\]]+", " ", tool).strip()[:80] or "a tool"
    kept = f"; kept of it: {SEPARATOR.join(facts)}" if facts else ""
    return f"[left out: the result of {name}, {tokens:,} tokens{kept}]"


def facts_of_mark(content: str) -> tuple[str, ...] | None:
    """Read the facts of a result that was left out; `None` when it was not."""
    mark = _LEFT_OUT.fullmatch(content)
    if mark is None:
        return None
    return tuple(mark["facts"].split(SEPARATOR)) if mark["facts"] else ()


def cut_text(text: str, *, kept_chars: int) -> str:
    """Cut a text at its end and say how much is gone, an earlier cut included."""
    earlier = _CUT.search(text)
    body = text if earlier is None else text[: earlier.start()]
    gone_chars = 0 if earlier is None else int(earlier[1].replace(",", ""))
    kept = body[: max(0, kept_chars)]
    gone_chars += len(body) - len(kept)
    if gone_chars == 0:
        return text
    return f"{kept}\n[cut here: {gone_chars:,} more characters were left out]"
