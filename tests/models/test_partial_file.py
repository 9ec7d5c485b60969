"""Promises of `smallhold.models.partial_file`: this file holds tests of arriving files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.partial_file import PartialFile, PartialNotes, replace_file

NOTES = PartialNotes(source="here", etag='"v1"', whole_parts=2, whole_bytes=5)


@pytest.fixture
def partial(tmp_path: Path) -> PartialFile:
    return PartialFile(tmp_path / "partial" / "x.part")


def test_a_partial_file_that_never_began_is_empty(partial: PartialFile) -> None:
    assert partial.size_bytes == 0
    assert partial.notes is None


def test_bytes_and_notes_survive_the_object(partial: PartialFile) -> None:
    partial.restart(NOTES)
    partial.append(b"hello")
    again = PartialFile(partial.path)
    assert again.size_bytes == 5
    assert again.notes == NOTES


def test_resuming_cuts_off_what_lies_behind(partial: PartialFile) -> None:
    partial.restart(NOTES)
    partial.append(b"hello world")
    partial.resume_at(5, NOTES)
    partial.append(b"!")
    assert partial.path.read_bytes() == b"hello!"


@given(st.binary(max_size=200))
def test_notes_of_any_bytes_are_read_or_ignored(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    partial = PartialFile(tmp_path_factory.getbasetemp() / "any.part")
    partial.path.with_name("any.part.json").write_bytes(data)
    assert partial.notes is None or partial.notes.source


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"source": 1, "etag": null, "whole_parts": 0, "whole_bytes": 0}',
        '{"source": "x", "etag": 1, "whole_parts": 0, "whole_bytes": 0}',
        '{"source": "x", "etag": null, "whole_parts": "0", "whole_bytes": 0}',
        '{"source": "x", "etag": null, "whole_parts": -1, "whole_bytes": 0}',
    ],
)
def test_notes_that_make_no_sense_count_as_none(partial: PartialFile, text: str) -> None:
    partial.restart(NOTES)
    partial.path.with_name("x.part.json").write_text(text)
    assert partial.notes is None


def test_promotion_leaves_nothing_behind(partial: PartialFile, tmp_path: Path) -> None:
    partial.restart(NOTES)
    partial.append(b"whole")
    partial.scratch.mkdir()
    target = tmp_path / "blobs" / "whole"
    partial.promote(target)
    assert target.read_bytes() == b"whole"
    assert not list(partial.path.parent.iterdir())


def test_discarding_removes_every_trace_and_tells_the_bytes(partial: PartialFile) -> None:
    partial.restart(NOTES)
    partial.append(b"hello")
    partial.scratch.mkdir()
    (partial.scratch / "wheel").write_bytes(b"x")
    assert partial.discard() == 5
    assert not list(partial.path.parent.iterdir())
    assert partial.discard() == 0


def test_a_replaced_file_has_the_new_bytes_and_no_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    for data in (b"one", b"two"):
        replace_file(path, data)
        assert path.read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["notes.json"]
