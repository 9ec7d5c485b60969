"""Promises of `smallhold.models.store.record`: this file holds tests of stored records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smallhold.models.store.file_stamp import FileStamp
from smallhold.models.store.record import PlaceRecord, StoreRecord

RECORD = StoreRecord(
    alias="tiny", sha256="a" * 64, quantization="Q4_0", source="here", is_verified=True
)


def test_a_record_survives_being_stored(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_bytes(RECORD.to_bytes())
    assert StoreRecord.read(path) == RECORD


def test_a_record_of_a_later_version_with_more_fields_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(RECORD.model_dump_json().replace("{", '{"signature": "x", ', 1))
    assert StoreRecord.read(path) == RECORD


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", RECORD.model_dump_json().replace("a" * 64, "../../etc/passwd")],
)
def test_a_record_that_makes_no_sense_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(text)
    assert StoreRecord.read(path) is None


def test_a_missing_record_is_none(tmp_path: Path) -> None:
    assert StoreRecord.read(tmp_path / "none.json") is None


def test_a_record_is_known_by_the_reference_of_its_model() -> None:
    assert RECORD.reference == "tiny:q4_0"


def test_a_file_elsewhere_is_recorded_with_what_tells_it_apart(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"weights")
    stamp = FileStamp.of(file)
    assert stamp is not None
    place = PlaceRecord.of(file, stamp)
    path = tmp_path / "tiny.json"
    path.write_bytes(RECORD.model_copy(update={"place": place}).to_bytes())
    read = StoreRecord.read(path)
    assert read is not None
    assert read.place == place
    assert place.difference is None
    file.write_bytes(b"other weights")
    assert place.difference is not None


@pytest.mark.parametrize("path", ["model.gguf", "../model.gguf", "", "/a\0b", "/" + "a" * 5000])
def test_a_place_that_is_no_absolute_path_makes_no_record(tmp_path: Path, path: str) -> None:
    document = json.loads(RECORD.to_bytes())
    document["place"] = {"path": path, "size_bytes": 1, "mtime_ns": 1, "inode": 1}
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(document))
    assert StoreRecord.read(file) is None
