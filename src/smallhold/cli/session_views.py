"""Sessions on the screen: this file holds how they are listed and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import foreign, one_line
from smallhold.messages import JsonObject, JsonValue, Message, Role
from smallhold.state.sessions import Entry, EntryKind, Run, RunStatus, Session

_TEXT_CHARS: Final = 200
_TITLE_CHARS: Final = 48
_STATE_CHARS: Final = 22
"""A run's id on one line, so that it can be copied."""


def session_json(session: Session) -> JsonObject:
    """Write a session's summary for programs."""
    return {
        "id": session.id,
        "title": session.title,
        "created_s": session.created_s,
        "updated_s": session.updated_s,
        "entries": session.entries,
        "turns": session.turns,
        "open_run": session.open_run,
        "parent": session.parent,
        "parent_seq": session.parent_seq,
        "is_quarantined": session.is_quarantined,
        "format": session.format,
    }


def run_json(run: Run) -> JsonObject:
    """Write a run for programs."""
    return {
        "id": run.id,
        "session": run.session,
        "status": standing(run),
        "first_seq": run.first_seq,
        "started_s": run.started_s,
        "updated_s": run.updated_s,
    }


def entry_json(entry: Entry) -> JsonObject:
    """Write an entry for programs."""
    return {
        "seq": entry.seq,
        "run": entry.run,
        "kind": entry.kind.value,
        "created_s": entry.created_s,
        "payload": entry.payload,
    }


def message_view(message: Message) -> JsonObject:
    """Write a message for programs."""
    calls: list[JsonValue] = [
        {"id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.tool_calls
    ]
    return {"role": message.role.value, "content": message.content, "calls": calls}


def standing(run: Run) -> str:
    """Say where a run stands, in a word."""
    return "interrupted" if run.is_interrupted else run.status.value


def sessions_table(sessions: Sequence[Session], runs: Mapping[str, Run]) -> Table:
    """Lay sessions out for people, one a line.

    Args:
        sessions: What to list.
        runs: The runs that have not ended, by their ids.
    """
    table = Table(
        Column("session", overflow="fold"),
        Column("title", overflow="ellipsis", no_wrap=True),
        "turns",
        "last used",
        Column("state", overflow="fold", min_width=_STATE_CHARS if runs else 5),
    )
    for session in sessions:
        table.add_row(
            foreign(session.id),
            foreign(one_line(session.title, limit_chars=_TITLE_CHARS)),
            str(session.turns),
            moment(session.updated_s),
            foreign(_state_of(session, runs)),
        )
    return table


def _state_of(session: Session, runs: Mapping[str, Run]) -> str:
    if session.is_quarantined:
        return "quarantined"
    run = None if session.open_run is None else runs.get(session.open_run)
    return "" if run is None else f"{standing(run)}\n{run.id}"


def runs_table(runs: Sequence[Run]) -> Table:
    """Lay runs out for people, one a line."""
    table = Table(Column("run", overflow="fold"), "entry", "started", "state")
    for run in runs:
        table.add_row(foreign(run.id), str(run.first_seq), moment(run.started_s), standing(run))
    return table


def entries_table(entries: Sequence[Entry]) -> Table:
    """Lay a log out for people, one entry a line."""
    table = Table("entry", "kind", Column("what", overflow="fold"))
    for entry in entries:
        text = one_line(summary_of(entry), limit_chars=_TEXT_CHARS)
        table.add_row(str(entry.seq), entry.kind.value, foreign(text))
    return table


def summary_of(entry: Entry) -> str:
    """Say in a line what an entry holds."""
    payload = entry.payload
    match entry.kind:
        case EntryKind.MESSAGE:
            text = _text_in(payload.get("message"), "content")
        case EntryKind.DECISION:
            text = "; ".join(_call_text(one.get("call")) for one in _maps(payload.get("calls")))
        case EntryKind.CALL_STARTED:
            text = f"{payload.get('call', '')}"
        case EntryKind.RESULT:
            text = _text_in(payload.get("step"), "content")
        case EntryKind.ENDED:
            text = f"{payload.get('text', '')}"
        case EntryKind.FAILED:
            text = f"{payload.get('error', '')} {payload.get('message', '')}".strip()
        case EntryKind.RESUMED:
            text = f"attempt {payload.get('epoch', '')}"
        case EntryKind.EDITED:
            text = f"back to entry {payload.get('before', '')}"
    return text


def spoken_line(message: Message) -> str:
    """Write a message of a conversation on one line."""
    calls = " ".join(
        f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)})"
        for call in message.tool_calls
    )
    who = "result" if message.role is Role.TOOL else message.role.value
    return f"{who}: {one_line(f'{message.content} {calls}'.strip(), limit_chars=_TEXT_CHARS)}"


def moment(time_s: float) -> str:
    """Write a time for people, in UTC."""
    try:
        return datetime.fromtimestamp(time_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "unknown"


def is_resumable(run: Run) -> bool:
    """Whether a run waits for somebody to go on with it."""
    return run.is_interrupted or run.status is RunStatus.WAITING


def _maps(value: JsonValue) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text_in(value: JsonValue, name: str) -> str:
    return str(value.get(name, "")) if isinstance(value, dict) else ""


def _call_text(call: JsonValue) -> str:
    if not isinstance(call, dict):
        return ""
    arguments = json.dumps(call.get("arguments", {}), ensure_ascii=False)
    return f"{call.get('name', '')}({arguments})"
