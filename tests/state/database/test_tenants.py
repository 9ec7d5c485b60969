from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from smallhold.exceptions import DamagedRecordError
from smallhold.messages import JsonValue
from smallhold.state import Database
from smallhold.state.tables import SESSIONS

ROW = {"format": 1, "created_s": 1.0, "updated_s": 1.0, "head": 0}


async def test_a_payload_comes_back_from_its_row(database: Database) -> None:
    mine = database.tenant("a")
    value: JsonValue = {"text": "Grüße", "list": [1, None, 2.5]}
    async with mine.writing() as rows:
        payload = mine.seal(value, table="sessions", row="s")
        await rows.execute(insert(SESSIONS), {"id": "s", "payload": payload, **ROW})
    async with mine.reading() as rows:
        stored = (await rows.execute(select(SESSIONS.c.payload))).scalar_one()
    assert mine.unseal(stored, table="sessions", row="s") == value


async def test_a_payload_does_not_open_for_another_tenant(database: Database) -> None:
    payload = database.tenant("a").seal("x", table="sessions", row="s")
    with pytest.raises(DamagedRecordError):
        database.tenant("b").unseal(payload, table="sessions", row="s")


async def test_bytes_come_back(database: Database) -> None:
    mine = database.tenant()
    sealed = mine.seal_bytes(b"\0\1\2", table="facts", row="1")
    assert mine.unseal_bytes(sealed, table="facts", row="1") == b"\0\1\2"


async def test_several_rows_go_in_at_once(database: Database) -> None:
    mine = database.tenant()
    async with mine.writing() as rows:
        await rows.execute(
            insert(SESSIONS), [{"id": str(n), "payload": b"x", **ROW} for n in range(100)]
        )
    async with mine.reading() as rows:
        assert len((await rows.execute(select(SESSIONS.c.id))).all()) == 100
