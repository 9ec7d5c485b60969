from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhold.state.care.sqlite_records import Record, page_records

PAGE_BYTES = 512
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=2_000)
values = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(max_size=3_000)
)
rows = st.lists(st.tuples(values, values), max_size=20)


def read_back(kind: str, wanted: list[tuple[object, ...]]) -> list[Record | None]:
    """Let SQLite write rows into a table, and read all of its pages without SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            key = "k INTEGER PRIMARY KEY" if kind == "WITHOUT ROWID" else "k INTEGER"
            connection.execute(f"CREATE TABLE t ({key}, a, b) {kind}")
            connection.executemany(
                "INSERT INTO t VALUES (?, ?, ?)", [(n, *row) for n, row in enumerate(wanted)]
            )
            connection.commit()
        content = path.read_bytes()
    pages = [content[at : at + PAGE_BYTES] for at in range(0, len(content), PAGE_BYTES)]

    def page_of(number: int) -> bytes | None:
        return pages[number - 1] if 1 <= number <= len(pages) else None

    found: list[Record | None] = []
    for number, page in enumerate(pages, start=1):
        records = page_records(page, number=number, usable_bytes=PAGE_BYTES, page_of=page_of)
        found += [record for _, record in records if record is None or len(record) == 3]
    return found


@pytest.mark.parametrize("kind", ["", "WITHOUT ROWID"])
@settings(max_examples=60)
@given(wanted=rows)
def test_every_row_that_sqlite_wrote_is_read(kind: str, wanted: list[tuple[object, ...]]) -> None:
    found = read_back(kind, wanted)
    assert sorted(found, key=repr) == sorted(
        ((number, *row) for number, row in enumerate(wanted)), key=repr
    )


@given(page=st.binary(max_size=PAGE_BYTES), kind=st.sampled_from([0x0D, 0x0A, 0x02]))
def test_no_bytes_make_the_reader_fail(page: bytes, kind: int) -> None:
    page = bytes((kind,)) + page[1:]
    for _, record in page_records(
        page, number=2, usable_bytes=PAGE_BYTES, page_of=lambda _number: page
    ):
        assert record is None or isinstance(record, tuple)


def test_a_row_that_goes_on_in_a_circle_is_told_as_unreadable() -> None:
    found = read_back("", [(b"x" * 3_000, None)])
    assert found == [(0, b"x" * 3_000, None)]
    cell = b"\x97\x38" + b"\x01" + b"\x03\x00\x17" + bytes(200)
    page = b"\x0d\x00\x00\x00\x01\x00\x20\x00\x00\x20".ljust(32, b"\0") + cell
    page = page.ljust(PAGE_BYTES, b"\x02")
    records = list(
        page_records(page, number=2, usable_bytes=PAGE_BYTES, page_of=lambda _number: page)
    )
    assert records == [(True, None)]


def test_a_page_of_another_kind_holds_no_rows() -> None:
    for kind in (0x00, 0x05, 0xA5):
        page = bytes((kind,)) * PAGE_BYTES
        assert not list(
            page_records(page, number=3, usable_bytes=PAGE_BYTES, page_of=lambda _number: None)
        )
