"""Promises of `smallhold.models.store_record`: this file holds tests of stored records."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.models.store_record import StoreRecord

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
