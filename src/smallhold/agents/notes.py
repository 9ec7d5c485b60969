"""What a result says beside its text: this file holds its notes for a developer, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from smallhold.agents.result import Ending, Result

_PLAIN_ENDINGS: Final = frozenset({Ending.ANSWERED, Ending.ASKED, Ending.CANNOT})
"""Ends that the text itself tells."""


def notes_of(result: Result[object]) -> tuple[str, ...]:
    """Write what is not in the text of a result: nothing is left out or stopped silently."""
    return tuple(_notes(result))


def _notes(result: Result[object]) -> Iterator[str]:
    if result.ending not in _PLAIN_ENDINGS:
        yield f"ended: {result.ending.value}"
    if result.degraded:
        yield "degraded: a smaller model than the agent's own has answered"
    for approval in result.approvals:
        yield f"needs approval {approval.id}: {approval.tool} ({approval.why})"
    for dropped in result.dropped:
        yield f"left out: {dropped.what} ({dropped.kind.value}, {dropped.tokens:,} tokens)"
    for place in dict.fromkeys(citation.place for citation in result.citations):
        yield f"source: {place}"
    for flag in result.flags:
        yield f"{flag.outcome.value} by {flag.guardrail} at {flag.stage.value}: {flag.reason}"
