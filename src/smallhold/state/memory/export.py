"""All that is remembered of somebody, to hand over: this file holds the export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smallhold.messages import JsonObject, JsonValue
from smallhold.state.memory.fact import Fact
from smallhold.state.memory.payloads import payload_of

EXPORT_FORMAT: Final = "smallhold.memory/1"


def export_of(subject: str, history: Sequence[Fact], *, exported_s: float) -> JsonObject:
    """Write a subject's facts, current and superseded, with their provenance.

    Args:
        subject: Whom or what they are about.
        history: All of its facts, in their order.
        exported_s: Unix time.
    """
    facts: list[JsonValue] = [fact_json(fact, now_s=exported_s) for fact in history]
    return {
        "format": EXPORT_FORMAT,
        "subject": subject,
        "exported_s": exported_s,
        "facts": facts,
    }


def fact_json(fact: Fact, *, now_s: float) -> JsonObject:
    """Write one fact.

    Args:
        fact: The fact.
        now_s: Unix time by which it has expired or not.
    """
    status = "current"
    if not fact.is_current:
        status = "superseded"
    elif fact.is_expired(now_s):
        status = "expired"
    content = {key: value for key, value in payload_of(fact).items() if key != "v"}
    return {
        "id": fact.id,
        **content,
        "status": status,
        "position": fact.position,
        "created_s": fact.created_s,
        "expires_s": fact.expires_s,
        "superseded_s": fact.superseded_s,
        "superseded_by": fact.superseded_by,
    }
