"""The database's care on the screen: this file holds how its reports are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from smallhold.cli.terminal import foreign
from smallhold.cli.times import clock_time
from smallhold.state.care import CheckReport, RepairReport, RestoreReport, RotationReport
from smallhold.state.care.registry import Backup

FINDINGS_LIMIT: Final = 50
"""As many findings are shown to people; `--json` has all of them."""


def check_view(report: CheckReport) -> Group:
    """Show what a check found."""
    counted = f"{report.rows:,} rows, {report.values:,} sealed values"
    if report.is_sound:
        return Group(foreign(f"{report.database} is sound: {counted}."))
    lines = [foreign(f"{report.database}: {len(report.findings):,} findings in {counted}.")]
    table = Table("kind", "tenant", "table", "row", "problem")
    for finding in report.findings[:FINDINGS_LIMIT]:
        table.add_row(
            finding.kind.value,
            foreign(finding.tenant),
            finding.table,
            foreign(finding.row),
            foreign(finding.problem),
        )
    after: list[Text] = []
    if report.damaged_sessions:
        names = ", ".join(session for _, session in report.damaged_sessions[:FINDINGS_LIMIT])
        after.append(foreign(f"Damaged sessions: {names}"))
    after.append(Text("Run `smallhold state repair`, or `restore` a backup."))
    return Group(*lines, table, *after)


def repair_view(report: RepairReport) -> Group:
    """Show what a repair did."""
    lines: list[str] = []
    if report.kept is not None:
        lines.append(f"The file was written anew; what it was is kept in {report.kept}.")
        lines.append(f"Rows that could not be read: {report.unreadable:,}.")
    if report.aside is not None:
        lines.append(f"{report.rows_set_aside:,} damaged rows were moved into {report.aside}.")
    lines += [f"Set apart: session {session}" for _, session in report.quarantined]
    if not lines:
        lines.append(f"{report.database} needed no repair.")
    return Group(*map(foreign, lines))


def backups_table(backups: Sequence[Backup]) -> Table:
    """Lay backups out for people, one a line."""
    table = Table("id", "made", "size", "file")
    for backup in backups:
        size = f"{backup.size_bytes / 1e6:,.1f} MB"
        table.add_row(backup.id, clock_time(backup.created_s), size, foreign(str(backup.path)))
    return table


def restore_view(report: RestoreReport) -> Group:
    """Show what a restoring did."""
    lines = [f"{report.database} is what {report.backup} holds."]
    if report.erased_facts:
        lines.append(
            f"{report.erased_facts:,} facts did not come back: who they are about was erased since."
        )
    if report.kept is not None:
        lines.append(f"What was there before is kept in {report.kept}.")
    if report.unread is not None:
        lines.append(
            f"It could not tell whom it had erased ({report.unread}): whoever was erased since the "
            "backup was made must be erased again."
        )
    return Group(*map(foreign, lines))


def rotation_view(report: RotationReport) -> Group:
    """Show what a rotation did."""
    lines = [f"{report.resealed:,} values were sealed anew with the key {report.key_id!r}."]
    if report.unreadable:
        lines.append(
            f"{len(report.unreadable):,} values could not be opened and were left; "
            "`smallhold state check` lists them."
        )
    if report.resealed and not report.is_rewritten:
        lines.append(
            "The file could not be written anew, so freed pages may still hold old values; "
            "run this again when no other process uses the database."
        )
    if report.backups:
        lines.append(
            f"{report.backups:,} backups keep the keys they were made with; "
            "keep those keys, or make new backups."
        )
    return Group(*map(foreign, lines))
