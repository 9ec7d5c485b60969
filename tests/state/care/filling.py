"""A database with something of everything: this file holds how tests fill one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import insert

from smallhold.messages import Message, Role
from smallhold.state import State
from smallhold.state.approvals import ApprovalRequest
from smallhold.state.sessions.entries import EntryKind
from smallhold.state.tables import CHUNKS, COLLECTIONS, DOCUMENT_INDEXES, DOCUMENTS

CANARY = "tulip-canary-7731"
"""What people write, in every place; of an encrypted database no byte shows it."""


async def fill(state: State, *, sessions: int = 3, words: str = CANARY) -> None:
    """Store a bit of everything, with `words` in all that people write."""
    for number in range(sessions):
        log = await state.sessions.accept(
            f"session-{number}", {"v": 1, "message": words}, lease_s=60.0
        )
        await log.append((EntryKind.RESULT, {"v": 1, "content": words * 20}))
        answer = Message(role=Role.ASSISTANT, content=words)
        await log.end({"v": 1, "text": words}, conversation=[answer])
        log.leave()
    await state.approvals.request(
        ApprovalRequest(
            run="run-1", call_id="call-1", tool=words, arguments={"text": words}, why=words
        )
    )
    await state.outbox.put(
        destination=words, body={"text": words}, session="session-0", idempotency_key=words
    )
    await state.outbox.put(destination=words, body={"text": words}, session="session-0")
    await state.memory.remember(words, "drink", words)
    await state.memory.remember("somebody else", "drink", words)
    await add_document(state, words)


async def add_document(state: State, words: str) -> None:
    """Store a document of two chunks."""
    rows = state.rows

    def payload(table: Any, row: str) -> bytes:
        return rows.seal({"v": 1, "text": words}, table=table.name, row=row)

    async with rows.writing() as connection:
        await connection.execute(
            insert(COLLECTIONS),
            {"id": "default", "generation": 1, "payload": payload(COLLECTIONS, "default")},
        )
        await connection.execute(
            insert(DOCUMENTS),
            {
                "id": "doc-1",
                "collection": "default",
                "source_key": "0" * 32,
                "content_key": "0" * 32,
                "generation": 1,
                "chunks": 2,
                "indexed_s": 1.0,
                "payload": payload(DOCUMENTS, "doc-1"),
            },
        )
        chunks = [
            {"document": "doc-1", "number": n, "payload": payload(CHUNKS, f"doc-1/{n}")}
            for n in range(2)
        ]
        await connection.execute(insert(CHUNKS), chunks)
        index = {"document": "doc-1", "payload": payload(DOCUMENT_INDEXES, "doc-1")}
        await connection.execute(insert(DOCUMENT_INDEXES), index)


def all_bytes(folder: Path) -> bytes:
    """Read every file of a folder, databases with their logs and what lies beside them."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def names_in(folder: Path) -> list[str]:
    """List what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
