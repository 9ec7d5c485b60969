from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Screen

from smallhold.cli.state_views import (
    backups_table,
    check_view,
    repair_view,
    restore_view,
    rotation_view,
)
from smallhold.state.care import (
    Backup,
    CheckReport,
    Finding,
    FindingKind,
    RepairReport,
    RestoreReport,
    RotationReport,
)

SOUND = CheckReport(database="state.db", rows=30, values=40)
FINDING = Finding(
    kind=FindingKind.PAYLOAD,
    problem="its check sum is wrong",
    table="entries",
    row="kiosk-7/2",
    tenant="shop",
    session="kiosk-7",
)


def test_a_sound_database_is_said_to_be_sound_with_what_was_read(screen: Screen) -> None:
    screen.console.print(check_view(SOUND))
    assert "state.db is sound: 30 rows, 40 sealed values" in screen.text


def test_findings_are_shown_with_what_to_do(screen: Screen) -> None:
    report = CheckReport(database="state.db", rows=30, values=40, findings=(FINDING,))
    screen.console.print(check_view(report))
    for part in ("kiosk-7/2", "its check sum is wrong", "smallhold state repair"):
        assert part in screen.text


def test_a_repair_says_where_everything_is(screen: Screen) -> None:
    report = RepairReport(
        database="state.db",
        quarantined=(("shop", "kiosk-7"),),
        rows_set_aside=3,
        aside=Path("aside.jsonl"),
        kept=Path("state.db.damaged-1"),
        unreadable=2,
        left=SOUND,
    )
    screen.console.print(repair_view(report))
    for part in ("kiosk-7", "3 damaged rows", "aside.jsonl", "state.db.damaged-1", "2."):
        assert part in screen.text


def test_a_repair_that_had_nothing_to_do_says_so(screen: Screen) -> None:
    report = RepairReport(
        database="state.db",
        quarantined=(),
        rows_set_aside=0,
        aside=None,
        kept=None,
        unreadable=0,
        left=SOUND,
    )
    screen.console.print(repair_view(report))
    assert "needed no repair" in screen.text


def test_backups_are_listed_with_size_and_place(screen: Screen) -> None:
    backup = Backup(
        id="b1", path=Path("/backups/monday.db"), created_s=1_700_000_000.0, size_bytes=2_500_000
    )
    screen.console.print(backups_table([backup]))
    for part in ("b1", "2.5 MB", "monday.db", "2023-11-14"):
        assert part in screen.text


def test_a_restoring_warns_of_what_it_could_not_know(screen: Screen) -> None:
    report = RestoreReport(
        database="state.db",
        backup="monday.db",
        erased_facts=2,
        kept=Path("state.db.replaced-1"),
        unread="its file is damaged",
    )
    screen.console.print(restore_view(report), soft_wrap=True)
    for part in ("2 facts did not come back", "state.db.replaced-1", "must be erased again"):
        assert part in screen.text


def test_a_rotation_tells_what_still_has_old_keys(screen: Screen) -> None:
    report = RotationReport(
        key_id="new", resealed=40, unreadable=(FINDING,), is_rewritten=False, backups=3
    )
    screen.console.print(rotation_view(report), soft_wrap=True)
    for part in ("40 values", "'new'", "1 values", "freed pages", "3 backups"):
        assert part in screen.text
