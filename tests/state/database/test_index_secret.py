from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from smallhold.exceptions import DamagedRecordError
from smallhold.security import KeyRing
from smallhold.state import Database
from smallhold.state.database.index_secret import (
    ENCRYPTING,
    INDEX_SECRET,
    Secrets,
    info_payload,
    opened_info,
)
from smallhold.state.database.sealing import Sealer
from smallhold.state.tables import STORE_INFO

KEYS = KeyRing({"k": bytes(32)})


def test_a_hash_depends_on_secret_tenant_and_text() -> None:
    one, other = (Secrets(sealer=Sealer(), index_secret=bytes([byte] * 32)) for byte in (1, 2))
    hashes = {
        one.blind("a", tenant="t"),
        other.blind("a", tenant="t"),
        one.blind("b", tenant="t"),
        one.blind("a", tenant="u"),
        one.blind("", tenant="ta"),
    }
    assert len(hashes) == 5


def test_a_setting_is_read_as_it_was_written() -> None:
    for sealer in (Sealer(), Sealer(keys=KEYS)):
        payload = info_payload(sealer, INDEX_SECRET, b"value")
        assert opened_info(sealer, INDEX_SECRET, payload) == b"value"


async def test_the_secret_stays_the_same_when_the_key_is_another(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first = Database(path, keys=KEYS)
    before = await first.tenant().blind("Anna")
    await first.aclose()
    both = Database(path, keys=KeyRing({"new": bytes([7] * 32), "k": bytes(32)}))
    assert await both.tenant().blind("Anna") == before
    await both.aclose()


async def test_nobody_without_a_key_can_open_the_door_to_rows_in_the_clear(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    keyed = Database(path, keys=KEYS)
    async with keyed.writing() as connection:
        planted = info_payload(Sealer(), ENCRYPTING, b"1")
        await connection.execute(insert(STORE_INFO), {"name": ENCRYPTING, "value": planted})
    await keyed.aclose()
    with pytest.raises(DamagedRecordError, match="not encrypted"):
        await Database(path, keys=KEYS).open()


async def test_a_database_that_is_being_encrypted_opens_with_the_key(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    plain = Database(path)
    before = await plain.tenant().blind("Anna")
    async with plain.writing() as connection:
        payload = info_payload(Sealer(keys=KEYS), ENCRYPTING, b"1")
        await connection.execute(insert(STORE_INFO), {"name": ENCRYPTING, "value": payload})
    await plain.aclose()
    keyed = Database(path, keys=KEYS)
    assert await keyed.tenant().blind("Anna") == before
    assert keyed.sealer.accepts_plain
    async with keyed.writing() as connection:
        await connection.execute(delete(STORE_INFO).where(STORE_INFO.c.name == ENCRYPTING))
    await keyed.aclose()
