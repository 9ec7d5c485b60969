"""Promises of `smallhold.models.pulling.span_journal`:
this file holds tests of writing at many places.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.pulling.byte_spans import NOTHING, Spans
from smallhold.models.pulling.span_journal import SpanWriter, read_journal, this_boot


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.part"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "x.part.journal"


def test_what_was_written_is_noted_without_closing(file: Path, journal: Path) -> None:
    with SpanWriter(file=file, journal=journal, spans=NOTHING) as writer:
        writer.write(4, b"data")
        writer.write(20, b"more")
        assert read_journal(journal, boot=this_boot()) == ((4, 8), (20, 24)) == writer.spans
    data = file.read_bytes()
    assert (data[4:8], data[20:]) == (b"data", b"more")


def test_after_a_power_cut_only_what_was_waited_for_counts(file: Path, journal: Path) -> None:
    with SpanWriter(file=file, journal=journal, spans=NOTHING) as writer:
        writer.write(0, b"safe")
        writer.sync()
        writer.write(4, b"lost")
    assert read_journal(journal, boot=this_boot()) == ((0, 8),)
    assert read_journal(journal, boot="the next one") == ((0, 4),)


def test_a_writer_goes_on_where_another_one_was(file: Path, journal: Path) -> None:
    with SpanWriter(file=file, journal=journal, spans=NOTHING) as writer:
        writer.write(0, b"one")
    spans = read_journal(journal, boot=this_boot()) or NOTHING
    with SpanWriter(file=file, journal=journal, spans=spans) as writer:
        writer.write(3, b"two")
        assert writer.spans == ((0, 6),)
    assert file.read_bytes() == b"onetwo"


def test_a_line_that_was_cut_short_counts_for_nothing(file: Path, journal: Path) -> None:
    with SpanWriter(file=file, journal=journal, spans=NOTHING) as writer:
        writer.write(0, b"x" * 10)
        writer.write(20, b"x" * 180)
    journal.write_bytes(journal.read_bytes()[:-2])
    assert read_journal(journal, boot=this_boot()) == ((0, 10),)


def test_the_journal_stays_small(file: Path, journal: Path) -> None:
    with SpanWriter(file=file, journal=journal, spans=NOTHING, sync_every_bytes=1000) as writer:
        for number in range(2000):
            writer.write(number * 10, b"x" * 10)
    assert journal.stat().st_size < 3000
    assert read_journal(journal, boot=this_boot()) == ((0, 20_000),)


def test_several_threads_may_write_at_once(file: Path, journal: Path) -> None:
    content = random.Random(3).randbytes(400_000)  # noqa: S311 - only filling

    def write(part: int) -> None:
        for start in range(part * 100_000, (part + 1) * 100_000, 1000):
            writer.write(start, content[start : start + 1000])

    with SpanWriter(file=file, journal=journal, spans=NOTHING, sync_every_bytes=50_000) as writer:
        threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert file.read_bytes() == content
    assert read_journal(journal, boot=this_boot()) == ((0, 400_000),)


def test_without_a_journal_nothing_is_said(journal: Path) -> None:
    assert read_journal(journal, boot="x") is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]\n",
        b"{}\n",
        b'{"version": 2, "boot": "x", "spans": [[0, 5]]}\n',
        b'{"version": 1, "boot": 1, "spans": [[0, 5]]}\n',
        b'{"version": 1, "boot": "x", "spans": [["0", 5], [5, 5], [9], 3]}\n',
    ],
)
def test_a_journal_that_makes_no_sense_says_that_nothing_arrived(
    journal: Path, text: bytes
) -> None:
    journal.write_bytes(text)
    assert read_journal(journal, boot="x") == NOTHING


@given(st.binary(max_size=300))
def test_a_journal_of_any_bytes_is_read_as_spans(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    journal = tmp_path_factory.getbasetemp() / "any.journal"
    journal.write_bytes(data)
    spans: Spans | None = read_journal(journal, boot="x")
    assert spans is not None
    assert all(0 <= start < end for start, end in spans)
