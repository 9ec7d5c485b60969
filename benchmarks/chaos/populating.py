"""A database as it is after years: this file holds how many sessions are written at once.

Rows are the same that the store writes; only their payloads are written once and sealed for each
row, instead of being made anew two million times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert

from smallhold.messages import JsonObject, Message, Role
from smallhold.state import State
from smallhold.state.sessions import EntryKind, RunStatus, change_between, message_json
from smallhold.state.sessions.entries import FORMAT
from smallhold.state.sessions.rows import row_name
from smallhold.state.tables.sessions import ENTRIES, RUNS, SESSIONS

SESSIONS_AT_ONCE: Final = 500
"""Sessions in one transaction."""
QUESTION: Final = "Where is order 1042, and when will the second parcel of it arrive here?"
ANSWER: Final = "Order 1042 left the warehouse yesterday; both parcels should arrive on Thursday."
SECONDS_APART: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What all the sessions have in common: the payloads of their entries, as bytes."""

    payloads: tuple[tuple[EntryKind, bytes], ...]

    @property
    def turns(self) -> int:
        """How many messages were answered."""
        return len(self.payloads) // 2


def template_of(turns: int) -> Template:
    """Write the entries of so many turns, each a question and an answer."""
    conversation: tuple[Message, ...] = ()
    payloads: list[tuple[EntryKind, bytes]] = []
    for number in range(turns):
        asked = Message(role=Role.USER, content=f"{QUESTION} ({number})")
        answered = Message(role=Role.ASSISTANT, content=f"{ANSWER} ({number})")
        after = (*conversation, asked, answered)
        change = change_between(conversation, after).to_json()
        payloads += [
            (EntryKind.MESSAGE, _bytes({"v": 1, "message": message_json(asked)})),
            (
                EntryKind.ENDED,
                _bytes({
                    "v": 1,
                    "conversation": change,
                    "text": answered.content,
                    "ending": "answered",
                    "usage": {"prompt": 812, "completion": 21, "passes": 22},
                    "timing": {"first_token_s": 0.41, "total_s": 1.3},
                }),
            ),
        ]
        conversation = after
    return Template(payloads=tuple(payloads))


async def populate(
    state: State, *, sessions: int, turns: int, tell: Callable[[int], None] = lambda _: None
) -> None:
    """Write sessions.

    Args:
        state: Where to.
        sessions: How many.
        turns: Questions and answers in each.
        tell: Called after each transaction with how many are written.
    """
    template = template_of(turns)
    for first in range(0, sessions, SESSIONS_AT_ONCE):
        numbers = range(first, min(first + SESSIONS_AT_ONCE, sessions))
        async with state.rows.writing() as connection:
            for table, rows in (
                (SESSIONS, [session_row(state, number, template) for number in numbers]),
                (RUNS, [row for number in numbers for row in run_rows(number, template)]),
                (ENTRIES, [row for n in numbers for row in entry_rows(state, n, template)]),
            ):
                await connection.execute(insert(table), rows)
        tell(numbers.stop)


def session_id(number: int) -> str:
    """Name a session."""
    return f"kiosk-{number:07d}"


def session_row(state: State, number: int, template: Template) -> dict[str, Any]:
    """Write a session's row."""
    name = session_id(number)
    title: JsonObject = {"v": 1, "title": QUESTION}
    return {
        "id": name,
        "format": FORMAT,
        "created_s": float(number),
        "updated_s": number + template.turns * SECONDS_APART,
        "head": len(template.payloads),
        "base": 2,
        "turns": template.turns,
        "payload": state.rows.seal(title, table=SESSIONS.name, row=name),
    }


def run_rows(number: int, template: Template) -> Iterator[dict[str, Any]]:
    """Write the rows of a session's runs, all of which have ended."""
    for turn in range(template.turns):
        started_s = number + turn * SECONDS_APART
        yield {
            "id": run_id(number, turn),
            "session": session_id(number),
            "status": RunStatus.ENDED.value,
            "epoch": 1,
            "owner": "",
            "lease_until_s": 0.0,
            "first_seq": 2 * turn + 1,
            "started_s": started_s,
            "updated_s": started_s + 1.3,
        }


def entry_rows(state: State, number: int, template: Template) -> Iterator[dict[str, Any]]:
    """Write the rows of a session's entries."""
    name = session_id(number)
    for index, (kind, payload) in enumerate(template.payloads):
        row = row_name(name, index + 1)
        yield {
            "session": name,
            "seq": index + 1,
            "run": run_id(number, index // 2),
            "kind": kind.value,
            "created_s": number + index * SECONDS_APART / 2,
            "payload": state.rows.seal_bytes(payload, table=ENTRIES.name, row=row),
        }


def run_id(number: int, turn: int) -> str:
    """Name a run."""
    return f"{number:012x}{turn:010x}"


def _bytes(payload: JsonObject) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()
