"""Promises of `smallhold.cli.store_views`: this file holds tests of what is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from smallhold.cli.store_views import (
    foreign_json,
    foreign_table,
    garbage_json,
    garbage_lines,
    megabytes,
)
from smallhold.models.elsewhere import ForeignFile
from smallhold.models.store.garbage import GarbageReport
from smallhold.models.store.trimming import StoredBlob

if TYPE_CHECKING:
    from tests.cli.conftest import Screen

REPORT = GarbageReport(
    orphans=(Path("/s/blobs/sha256-x"),),
    stale_records=("gone:q4_0",),
    damaged=(Path("/s/damaged/sha256-y"),),
    partials_bytes=3_000_000,
    evicted=(
        StoredBlob(
            sha256="z",
            size_bytes=5_000_000,
            last_used_s=0,
            references=("a:q4_0", "b:q4_0"),
            is_pinned=False,
            is_loaded=False,
        ),
    ),
    kept_bytes=7_000_000,
    freed_bytes=6_000_000,
)
FILE = ForeignFile(
    name="ollama:[red]evil\x1b[2J", path=Path("/o/blob"), size_bytes=1, claimed_sha256=None
)


def test_sizes_are_written_for_people() -> None:
    assert megabytes(1_234_567_890) == "1,235 MB"


def test_a_collection_says_what_went_and_what_is_kept() -> None:
    lines = garbage_lines(REPORT, is_dry_run=False)
    assert lines == [
        "sha256-x: no model's file, deleted",
        "sha256-y: damaged, deleted",
        "gone:q4_0: its file is gone, forgotten",
        "a:q4_0 and b:q4_0: evicted (5 MB)",
        "3 MB of interrupted pulls are kept; --partials deletes them",
        "6 MB freed, models take 7 MB",
    ]


def test_a_dry_run_says_what_would_go() -> None:
    lines = garbage_lines(REPORT, is_dry_run=True)
    assert lines[0].endswith("would be deleted")
    assert lines[-1].startswith("6 MB would be freed")


def test_a_collection_is_json() -> None:
    document = json.loads(json.dumps(garbage_json(REPORT, is_dry_run=True)))
    assert document["dry_run"] is True
    assert document["freed_bytes"] == 6_000_000
    assert document["evicted"] == [{"references": ["a:q4_0", "b:q4_0"], "size_bytes": 5_000_000}]


def test_names_of_other_programs_are_shown_without_control_characters(screen: Screen) -> None:
    screen.console.print(foreign_table([(FILE, None, False)]))
    assert "\x1b[2J" not in screen.text
    assert "[red]evil" in screen.text


def test_a_foreign_file_is_json() -> None:
    assert foreign_json(FILE, reference="a:q4_0", is_adopted=True) == {
        "name": FILE.name,
        "path": "/o/blob",
        "size_bytes": 1,
        "reference": "a:q4_0",
        "adopted": True,
    }
