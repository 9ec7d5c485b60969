"""Promises of `smallhold.models.store.records`: this file holds tests of records old and new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.models.store.layout import StoreLayout
from smallhold.models.store.record import StoreRecord
from smallhold.models.store.records import StoreRecords

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker

DIGEST, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(root=tmp_path / "models")


def record(*, quantization: str = "F32", sha256: str = DIGEST) -> StoreRecord:
    return StoreRecord(
        alias="tiny", sha256=sha256, quantization=quantization, source="here", is_verified=True
    )


def write_old(layout: StoreLayout, item: StoreRecord) -> Path:
    """A record as it was written when an alias had one file only."""
    path = layout.old_record(item.alias)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = json.loads(item.to_bytes())
    del document["place"]
    path.write_text(json.dumps(document))
    return path


def test_a_record_is_read_by_the_entry_it_speaks_of(
    layout: StoreLayout, make_entry: EntryMaker
) -> None:
    records = StoreRecords(layout)
    assert records.read(make_entry(b"")) is None
    records.write(record())
    assert records.read(make_entry(b"")) == record()
    assert layout.record("tiny:f32").exists()


def test_an_old_record_is_read_for_its_own_file_alone(
    layout: StoreLayout, make_entry: EntryMaker
) -> None:
    records = StoreRecords(layout)
    write_old(layout, record(quantization="Q8_0"))
    assert records.read(make_entry(b"")) is None
    assert records.all() == {"tiny:q8_0": record(quantization="Q8_0")}


def test_an_old_record_is_renamed_when_its_file_is_written(layout: StoreLayout) -> None:
    records = StoreRecords(layout)
    old = write_old(layout, record())
    records.write(record(sha256=OTHER))
    assert not old.exists()
    assert records.all() == {"tiny:f32": record(sha256=OTHER)}


def test_an_old_record_survives_the_writing_of_another_file_of_its_model(
    layout: StoreLayout,
) -> None:
    records = StoreRecords(layout)
    old = write_old(layout, record(quantization="Q8_0", sha256=OTHER))
    records.write(record())
    assert not old.exists()
    assert {name: item.sha256 for name, item in records.all().items()} == {
        "tiny:f32": DIGEST,
        "tiny:q8_0": OTHER,
    }


def test_an_old_record_can_be_dropped(layout: StoreLayout) -> None:
    records = StoreRecords(layout)
    write_old(layout, record())
    records.drop(record(quantization="Q8_0"))
    assert records.all()
    records.drop(record())
    assert not records.all()


def test_the_new_record_counts_where_both_are_there(layout: StoreLayout) -> None:
    records = StoreRecords(layout)
    records.write(record())
    write_old(layout, record(sha256=OTHER))
    assert records.all() == {"tiny:f32": record()}


def test_a_record_of_a_newer_version_keeps_the_digests_it_names(layout: StoreLayout) -> None:
    records = StoreRecords(layout)
    path = layout.record("tiny:f32")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 9, "files": [{"digest": DIGEST}]}))
    assert records.all() == {}
    assert records.unreadable() == {path: frozenset({DIGEST})}


def test_what_a_power_cut_left_is_found(layout: StoreLayout) -> None:
    path = layout.folder("records") / "tiny+f32.json.new"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    records = StoreRecords(layout)
    assert records.leftovers() == (path,)
    assert records.all() == {}
