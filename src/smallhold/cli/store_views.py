"""What a store has and what was done to it: this file holds the way into tables and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import foreign
from smallhold.messages import JsonObject, JsonValue
from smallhold.models.archives import ExportPlan, ImportPlan
from smallhold.models.elsewhere import ForeignFile
from smallhold.models.store.garbage import GarbageReport

_MEGABYTE: Final = 1e6


def megabytes(size_bytes: int) -> str:
    """A size for people."""
    return f"{size_bytes / _MEGABYTE:,.0f} MB"


def garbage_json(report: GarbageReport, *, is_dry_run: bool) -> JsonObject:
    """What a collection did, as JSON."""
    evicted: list[JsonValue] = [
        {"references": [*blob.references], "size_bytes": blob.size_bytes} for blob in report.evicted
    ]
    return {
        "dry_run": is_dry_run,
        "freed_bytes": report.freed_bytes,
        "kept_bytes": report.kept_bytes,
        "orphans": [str(path) for path in report.orphans],
        "damaged": [str(path) for path in report.damaged],
        "stale_records": [*report.stale_records],
        "evicted": evicted,
        "partials_bytes": report.partials_bytes,
    }


def garbage_lines(report: GarbageReport, *, is_dry_run: bool) -> Sequence[str]:
    """What a collection did, for people."""
    would = "would be " if is_dry_run else ""
    lines = [f"{path.name}: no model's file, {would}deleted" for path in report.orphans]
    lines += [f"{path.name}: damaged, {would}deleted" for path in report.damaged]
    lines += [f"{name}: its file is gone, {would}forgotten" for name in report.stale_records]
    lines += [
        f"{' and '.join(blob.references)}: {would}evicted ({megabytes(blob.size_bytes)})"
        for blob in report.evicted
    ]
    if report.partials_bytes:
        lines.append(
            f"{megabytes(report.partials_bytes)} of interrupted pulls are kept; "
            "--partials deletes them"
        )
    total = f"{megabytes(report.freed_bytes)} {would}freed"
    return [*lines, f"{total}, models take {megabytes(report.kept_bytes)}"]


def export_json(plan: ExportPlan, *, files: Sequence[str], is_dry_run: bool) -> JsonObject:
    """What an export wrote, as JSON."""
    models: list[JsonValue] = [
        {
            "reference": file.entry.reference,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
        }
        for file in plan.manifest.files
    ]
    return {
        "dry_run": is_dry_run,
        "archive_bytes": plan.archive_bytes,
        "part_count": plan.part_count,
        "files": [*files],
        "models": models,
    }


def import_json(plan: ImportPlan, *, is_dry_run: bool) -> JsonObject:
    """What an import did, as JSON."""
    models: list[JsonValue] = [
        {
            "reference": step.file.entry.reference,
            "action": step.action.value,
            "new_in_catalog": step.is_new,
            "sha256": step.file.sha256,
            "size_bytes": step.file.size_bytes,
        }
        for step in plan.steps
    ]
    return {"dry_run": is_dry_run, "copied_bytes": plan.copied_bytes, "models": models}


def import_table(plan: ImportPlan) -> Table:
    """What an import did, for people."""
    table = Table(Column("model", no_wrap=True), "size", "", "catalog")
    for step in plan.steps:
        table.add_row(
            foreign(step.file.entry.reference),
            megabytes(step.file.size_bytes),
            step.action.value,
            "added" if step.is_new else "known",
        )
    return table


def foreign_json(file: ForeignFile, *, reference: str | None, is_adopted: bool) -> JsonObject:
    """A file of another program, as JSON."""
    return {
        "name": file.name,
        "path": str(file.path),
        "size_bytes": file.size_bytes,
        "reference": reference,
        "adopted": is_adopted,
    }


def foreign_table(rows: Sequence[tuple[ForeignFile, str | None, bool]]) -> Table:
    """Files of other programs, for people."""
    table = Table(Column("found", overflow="fold"), "size", "in the catalog as", "adopted")
    for file, reference, is_adopted in rows:
        table.add_row(
            foreign(file.name),
            megabytes(file.size_bytes),
            foreign(reference or "-"),
            "yes" if is_adopted else "no",
        )
    return table
