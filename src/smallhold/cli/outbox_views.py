"""The outbox on the screen: this file holds how effects are listed and shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from smallhold.cli.terminal import foreign, one_line
from smallhold.cli.times import clock_time
from smallhold.messages import JsonObject
from smallhold.state.outbox import OutboxItem

_CHARS: Final = 40


def effect_json(item: OutboxItem) -> JsonObject:
    """Write an effect for programs."""
    return {
        "id": item.id,
        "session": item.session,
        "number": item.number,
        "destination": item.destination,
        "body": item.body,
        "idempotency_key": item.idempotency_key,
        "status": item.status.value,
        "attempts": item.attempts,
        "created_s": item.created_s,
        "due_s": item.due_s,
        "settled_s": item.settled_s,
        "error": item.error,
    }


def effects_table(items: Sequence[OutboxItem]) -> Table:
    """Lay effects out for people, one a line."""
    table = Table(
        Column("id", no_wrap=True), "destination", "session", "put", "status", "attempts", "error"
    )
    for item in items:
        table.add_row(
            item.id,
            foreign(one_line(item.destination, limit_chars=_CHARS)),
            foreign(one_line(item.session or "", limit_chars=_CHARS)),
            clock_time(item.created_s),
            item.status.value,
            str(item.attempts),
            foreign(one_line(item.error or "", limit_chars=_CHARS)),
        )
    return table


def effect_view(item: OutboxItem) -> Group:
    """Show one effect, nothing shortened."""
    lines = [
        ("effect", item.id),
        ("status", item.status.value),
        ("destination", item.destination),
        ("body", json.dumps(item.body, indent=2) if item.body else ""),
        ("key", item.idempotency_key),
        ("session", item.session or ""),
        ("put", clock_time(item.created_s)),
        ("due", clock_time(item.due_s) if item.settled_s is None else ""),
        ("settled", clock_time(item.settled_s)),
        ("attempts", str(item.attempts)),
        ("error", item.error or ""),
    ]
    return Group(
        *(Text.assemble((f"{name:<12}", "bold"), foreign(text)) for name, text in lines if text)
    )
