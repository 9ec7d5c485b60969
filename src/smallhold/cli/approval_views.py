"""Approvals on the screen: this file holds how they are listed and shown."""

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
from smallhold.state.approvals import Approval

_CHARS: Final = 60


def approval_json(approval: Approval) -> JsonObject:
    """Write an approval for programs."""
    return {
        "id": approval.id,
        "run": approval.run,
        "session": approval.session,
        "call_id": approval.call_id,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "arguments_hash": approval.arguments_hash,
        "why": approval.why,
        "status": approval.status.value,
        "created_s": approval.created_s,
        "expires_s": approval.expires_s,
        "decided_by": approval.decided_by,
        "decided_s": approval.decided_s,
        "comment": approval.comment,
        "edited_arguments": approval.edited_arguments,
    }


def approvals_table(approvals: Sequence[Approval]) -> Table:
    """Lay approvals out for people, one a line."""
    table = Table(
        Column("id", no_wrap=True), "tool", "arguments", "session", "asked", "expires", "status"
    )
    for approval in approvals:
        table.add_row(
            approval.id,
            foreign(one_line(approval.tool, limit_chars=_CHARS)),
            foreign(one_line(_plain(approval.arguments), limit_chars=_CHARS)),
            foreign(one_line(approval.session or "", limit_chars=_CHARS)),
            clock_time(approval.created_s),
            clock_time(approval.expires_s),
            approval.status.value,
        )
    return table


def approval_view(approval: Approval) -> Group:
    """Show one approval with everything that a decision is about, nothing shortened."""
    lines = [
        ("request", approval.id),
        ("status", approval.status.value),
        ("tool", approval.tool),
        ("why", approval.why),
        ("arguments", _plain(approval.arguments, indent=2)),
        ("hash", approval.arguments_hash),
        ("session", approval.session or ""),
        ("run", approval.run),
        ("asked", clock_time(approval.created_s)),
        ("expires", clock_time(approval.expires_s)),
        ("decided by", approval.decided_by or ""),
        ("decided", clock_time(approval.decided_s)),
        ("comment", approval.comment or ""),
    ]
    if approval.edited_arguments is not None:
        lines.append(("edited", _plain(approval.edited_arguments, indent=2)))
    return Group(
        *(Text.assemble((f"{name:<11}", "bold"), foreign(text)) for name, text in lines if text)
    )


def _plain(arguments: JsonObject, *, indent: int | None = None) -> str:
    """Write arguments in ASCII: no character that looks like another one can deceive anybody."""
    return json.dumps(arguments, indent=indent)
