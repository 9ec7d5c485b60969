"""Promises of `smallhold.models.pulling.partial_file`: this file holds tests of arriving files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.pulling.partial_file import PartialFile, PartialNotes

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


def test_bytes_may_arrive_at_several_places(partial: PartialFile) -> None:
    partial.restart(NOTES)
    with partial.writer() as writer:
        writer.write(100, b"later")
        writer.write(0, b"first")
    again = PartialFile(partial.path)
    assert again.spans == ((0, 5), (100, 105))
    assert again.size_bytes == 10
    with again.writer() as writer:
        writer.write(5, b"x" * 95)
    assert again.spans == ((0, 105),)


def test_what_arrived_in_order_counts_when_more_arrives_elsewhere(partial: PartialFile) -> None:
    partial.restart(NOTES)
    partial.append(b"hello")
    with partial.writer() as writer:
        writer.write(50, b"!")
    assert partial.spans == ((0, 5), (50, 51))


def test_a_journal_never_speaks_of_bytes_behind_the_end(partial: PartialFile) -> None:
    partial.restart(NOTES)
    with partial.writer() as writer:
        writer.write(0, b"hello")
        writer.write(50, b"world")
    with partial.path.open("rb+") as file:
        file.truncate(52)
    assert partial.spans == ((0, 5), (50, 52))


def test_a_restart_forgets_all_places(partial: PartialFile) -> None:
    partial.restart(NOTES)
    with partial.writer() as writer:
        writer.write(50, b"world")
    partial.restart(NOTES)
    assert partial.size_bytes == 0
    partial.append(b"hello")
    assert partial.spans == ((0, 5),)


def test_no_trace_of_a_journal_stays(partial: PartialFile, tmp_path: Path) -> None:
    partial.restart(NOTES)
    with partial.writer() as writer:
        writer.write(0, b"whole")
    partial.promote(tmp_path / "blobs" / "whole")
    assert not list(partial.path.parent.iterdir())
