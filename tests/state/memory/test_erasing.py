from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.state.conftest import KEYS
from tests.state.set_clock import SetClock

from smallhold.security import KeyRing
from smallhold.state import Database, Durability, State
from smallhold.state.care.registry import new_backup, register
from smallhold.state.memory import ErasureReport, Memory, Outcome, Place, Provenance
from smallhold.state.memory.erasing import Eraser
from smallhold.state.memory.rows import FactRows
from smallhold.testing import ScriptedRuntime

NAME = "Zaphod-Beeblebrox"
VALUES = ("Pan-Galactic-Gargle-Blaster", "Heart-of-Gold", "two-heads-and-three-arms")
QUOTE = "Hey-you-hoopy-froods"


@pytest.fixture(params=[None, KEYS], ids=["plain", "encrypted"])
def keys(request: pytest.FixtureRequest) -> KeyRing | None:
    return request.param


ROUNDS = 14


async def fill(database: Database) -> Memory:
    """Remember, replace and recall, so that history, vectors, pages and the log hold the name."""
    memory = State(database).memory.using(ScriptedRuntime())
    source = Provenance(quote=QUOTE, session="s", entry=1)
    for number in range(ROUNDS):
        for subject in (NAME, "Trillian", "Ford"):
            for place, value in enumerate(VALUES):
                told = value if subject == NAME else f"{subject}'s"
                await memory.remember(
                    subject,
                    f"attribute {place}",
                    f"{told} {number % 7 * 'x' * 60}{number}",
                    provenance=source if subject == NAME else Provenance(),
                )
    await memory.recall("Gargle", subject=NAME)
    return memory


async def traces(database: Database) -> list[bytes]:
    """List what must not be found anywhere: names, values, and the keyed hashes of them."""
    rows = FactRows(database=database.tenant())
    hashes = [await rows.subject_key(NAME)]
    hashes += [await rows.attribute_key(NAME, f"attribute {place}") for place in range(3)]
    facts = await State(database).memory.history(NAME)
    assert len(facts) == ROUNDS * len(VALUES)
    ids = [fact.id for fact in facts]
    return [text.encode() for text in (NAME, *VALUES, QUOTE, *hashes, *ids)]


def found(traces: list[bytes], *files: Path) -> list[tuple[str, bytes]]:
    return [
        (file.name, trace)
        for file in files
        if file.exists()
        for trace in traces
        if trace in file.read_bytes()
    ]


def all_files(path: Path) -> list[Path]:
    return [path, *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", "-journal"))]


async def note_backup(database: Database, path: Path) -> None:
    backup = new_backup(path, created_s=1.0, size_bytes=1)
    async with database.writing() as connection:
        await register(connection, backup, sealer=database.sealer)


def outcomes(report: ErasureReport) -> dict[str, Outcome]:
    return {Path(place.name).name: place.outcome for place in report.places}


async def test_after_an_erasure_no_byte_of_the_subject_is_left_in_any_file(
    tmp_path: Path, keys: KeyRing | None
) -> None:
    path, backup = tmp_path / "state.db", tmp_path / "backup.db"
    database = Database(path, keys=keys, durability=Durability.PROCESS_CRASH)
    memory = await fill(database)
    sought = await traces(database)
    assert found(sought, *all_files(path))
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    assert found(sought, backup)
    await note_backup(database, backup)

    report = await State(database).memory.erase(NAME)
    assert (await memory.recall("Gargle", subject=NAME)).text == ""

    # Before it is closed: a log would be cut off by closing alone.
    assert found(sought, *all_files(path), *all_files(backup)) == []
    await database.aclose()
    assert found(sought, *all_files(path), *all_files(backup)) == []
    assert report.is_complete, report.unreached
    assert report.facts == ROUNDS * len(VALUES)
    assert report.vectors == len(VALUES)
    assert outcomes(report) == {
        "indexes in memory": Outcome.ERASED,
        "state.db": Outcome.ERASED,
        "state.db-wal": Outcome.ERASED,
        "backup.db": Outcome.ERASED,
    }
    assert len(await State(database).memory.history("Ford")) == ROUNDS * len(VALUES)
    await database.aclose()


async def test_a_backup_out_of_reach_is_covered_by_a_tombstone_and_named(
    tmp_path: Path, keys: KeyRing | None
) -> None:
    database = Database(tmp_path / "state.db", keys=keys)
    await State(database).memory.remember(NAME, "drink", "tea")
    gone, broken = tmp_path / "on a stick.db", tmp_path / "broken.db"
    broken.write_bytes(b"not a database" * 500)
    await note_backup(database, gone)
    await note_backup(database, broken)
    report = await State(database).memory.erase(NAME)
    await database.aclose()
    assert not report.is_complete
    assert {Path(place.name).name for place in report.unreached} == {gone.name, broken.name}
    assert {place.outcome for place in report.unreached} == {Outcome.COVERED}
    assert broken.read_bytes() == b"not a database" * 500
    assert not gone.exists()


async def test_a_subject_nobody_knows_is_erased_without_harm(memory: Memory) -> None:
    report = await memory.erase("nobody")
    assert (report.facts, report.vectors) == (0, 0)


async def test_a_subject_can_be_remembered_again_and_erased_again(
    memory: Memory, clock: SetClock
) -> None:
    for _ in range(3):
        await memory.remember("ann", "drink", "tea")
        assert (await memory.erase("ann")).facts == 1
        clock.now_s -= 100
    assert (await memory.export("ann"))["facts"] == []


async def test_another_tenants_subject_of_the_same_name_stays(database: Database) -> None:
    north = State(database, tenant="north")
    south = north.for_tenant("south")
    for state in (north, south):
        await state.memory.remember("ann", "drink", "tea")
    await north.memory.erase("ann")
    assert [fact.value for fact in await south.memory.facts("ann")] == ["tea"]
    assert await north.memory.facts("ann") == ()


async def test_a_log_that_another_process_reads_is_said_to_be_left(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    memory = State(database).memory
    await memory.remember(NAME, "drink", "tea")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM facts").fetchone()
        await memory.remember(NAME, "drink", "coffee")
        eraser = Eraser(database=database, tenant="default", wait_s=0.1)
        key = await FactRows(database=database.tenant()).subject_key(NAME)
        report = await eraser.erase(key, now_s=1.0)
        assert not report.is_complete
        assert await memory.history(NAME) == ()
        reader.execute("ROLLBACK")
    assert (await memory.erase(NAME)).is_complete
    await database.aclose()
    assert NAME.encode() not in path.read_bytes()


async def test_a_session_that_is_named_is_deleted_and_others_stay(state: State) -> None:
    memory = state.memory
    await memory.remember("ann", "drink", "tea")
    for session in ("kiosk-7", "kiosk-8"):
        log = await state.sessions.accept(session, {"text": "I am Ann"}, lease_s=60)
        await log.fail({"problem": "x"})
    report = await memory.erase("ann", sessions=["kiosk-7", "no-such-session"])
    sessions = [place for place in report.places if place.place is Place.SESSION]
    assert {place.name: place.outcome for place in sessions} == {
        "kiosk-7": Outcome.ERASED,
        "no-such-session": Outcome.NOTHING,
    }
    assert [session.id for session in await state.sessions.list()] == ["kiosk-8"]


async def test_a_session_in_use_is_left_and_said(state: State) -> None:
    await state.sessions.accept("kiosk-7", {"text": "I am Ann"}, lease_s=60)
    report = await state.memory.erase("ann", sessions=["kiosk-7"])
    assert "kiosk-7" in {place.name for place in report.unreached}


async def test_a_copy_that_nobody_registered_is_not_known_and_not_cleaned(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    database = Database(path)
    await State(database).memory.remember(NAME, "drink", "tea")
    await database.aclose()
    shutil.copyfile(path, copy)
    report = await State(database).memory.erase(NAME)
    await database.aclose()
    assert report.is_complete
    assert NAME.encode() in copy.read_bytes()
