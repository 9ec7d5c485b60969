from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from sqlalchemy import delete, update
from tests.state.care.filling import fill
from tests.state.conftest import KEYS

from smallhold.exceptions import (
    DatabaseBusyError,
    DatabaseDamagedError,
    QuarantinedSessionError,
)
from smallhold.state import State
from smallhold.state.care import FindingKind, repair
from smallhold.state.tables import APPROVALS, CHUNKS, ENTRIES


async def test_a_damaged_session_is_set_apart_and_the_others_serve(
    state: State, tmp_path: Path
) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        damage = update(ENTRIES).where(ENTRIES.c.session == "session-1", ENTRIES.c.seq == 1)
        await connection.execute(damage.values(payload=b"\x00oops"))
        gap = delete(ENTRIES).where(ENTRIES.c.session == "session-2", ENTRIES.c.seq == 2)
        await connection.execute(gap)
    report = await repair(state.database, aside=tmp_path / "aside.jsonl")
    assert report.quarantined == (("default", "session-1"), ("default", "session-2"))
    assert report.rows_set_aside == 0
    for session in ("session-1", "session-2"):
        with pytest.raises(QuarantinedSessionError, match=session):
            await state.sessions.conversation(session)
    assert len(await state.sessions.conversation("session-0")) == 1


async def test_other_damaged_rows_are_kept_in_a_file(state: State, tmp_path: Path) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(update(APPROVALS).values(payload=b"\x00oops"))
        await connection.execute(
            update(CHUNKS).where(CHUNKS.c.number == 1).values(payload=b"\x00oops")
        )
    report = await repair(state.database, aside=tmp_path / "aside.jsonl")
    assert report.left.is_sound
    lines = (await anyio.Path(tmp_path / "aside.jsonl").read_text()).splitlines()
    tables = sorted(json.loads(line)["table"] for line in lines)
    # Part of a document would be found and cited as if it were the whole.
    assert tables == ["approvals", "chunks", "chunks", "document_indexes", "documents"]
    assert report.rows_set_aside == 5
    assert await state.approvals.pending() == ()


async def test_a_sound_database_is_left_as_it_is(state: State, tmp_path: Path) -> None:
    await fill(state)
    report = await repair(state.database, aside=tmp_path / "aside.jsonl")
    assert (report.quarantined, report.rows_set_aside, report.kept) == ((), 0, None)
    assert not await anyio.Path(tmp_path / "aside.jsonl").exists()


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state, sessions=60)
    await state.aclose()
    return tmp_path / "state.db"


async def served_sessions(state: State) -> int:
    served = 0
    for session in await state.sessions.list(limit=100):
        try:
            served += len(await state.sessions.conversation(session.id)) == 1
        except QuarantinedSessionError:
            continue
    return served


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
async def test_of_a_file_with_a_lost_page_the_rest_serves(file: Path, share: float) -> None:
    path = anyio.Path(file)
    content = bytearray(await path.read_bytes())
    page = int(len(content) // 4096 * share)
    content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    await path.write_bytes(content)
    state = State(file, keys=KEYS)
    report = await repair(state.database)
    assert report.kept is not None
    assert (await anyio.Path(report.kept).read_bytes())[100:] == bytes(content[100:])
    assert FindingKind.FILE not in {finding.kind for finding in report.left.findings}
    assert set(report.left.damaged_sessions) == set(report.quarantined)
    served = await served_sessions(state)
    assert served >= 60 - len(report.quarantined) - report.unreadable
    assert served >= 30
    log = await state.sessions.accept("a new one", {"v": 1, "message": "hello"}, lease_s=60)
    log.leave()
    await state.aclose()


async def test_of_a_file_that_was_cut_off_what_is_left_serves(file: Path) -> None:
    path = anyio.Path(file)
    content = await path.read_bytes()
    await path.write_bytes(content[: len(content) * 3 // 4 // 4096 * 4096])
    state = State(file, keys=KEYS)
    report = await repair(state.database)
    assert report.kept is not None
    assert FindingKind.FILE not in {finding.kind for finding in report.left.findings}
    log = await state.sessions.accept("a new one", {"v": 1, "message": "hello"}, lease_s=60)
    log.leave()
    await state.aclose()


async def test_a_file_without_its_first_page_loses_nothing_else(file: Path) -> None:
    path = anyio.Path(file)
    await path.write_bytes(bytes(4096) + (await path.read_bytes())[4096:])
    state = State(file, keys=KEYS)
    report = await repair(state.database)
    assert (report.quarantined, report.rows_set_aside) == ((), 0)
    assert report.left.is_sound
    assert await served_sessions(state) == 60
    await state.aclose()


async def test_a_file_of_which_nothing_can_be_read_is_left_and_a_backup_is_named(
    file: Path,
) -> None:
    await anyio.Path(file).write_bytes(b"\xa5" * 100_000)
    state = State(file, keys=KEYS)
    with pytest.raises(DatabaseDamagedError, match="restore"):
        await repair(state.database)
    await state.aclose()
    assert await anyio.Path(file).read_bytes() == b"\xa5" * 100_000
    assert [path.name async for path in anyio.Path(file.parent).iterdir()] == ["state.db"]


async def test_a_file_with_broken_structure_is_not_replaced_under_others(file: Path) -> None:
    other = State(file, keys=KEYS)
    await other.sessions.list()
    path = anyio.Path(file)
    content = bytearray(await path.read_bytes())
    page = len(content) // 4096 // 2
    content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    with file.open("r+b", buffering=0) as raw:
        raw.write(content)
    state = State(file, keys=KEYS)
    with pytest.raises(DatabaseBusyError):
        await repair(state.database)
    await state.aclose()
    await other.aclose()
