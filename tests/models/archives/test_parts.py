"""Promises of `smallhold.models.archives.parts`: this file holds tests of streams in parts."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.archives.parts import PartReader, PartWriter, existing_parts, part_path

CHUNKS = st.lists(st.binary(max_size=40), max_size=12)


def written(path: Path, chunks: list[bytes], *, split_bytes: int | None) -> tuple[Path, ...]:
    with PartWriter(path, split_bytes=split_bytes) as writer:
        for chunk in chunks:
            writer.write(chunk)
        return writer.finish()


@given(CHUNKS, st.none() | st.integers(1, 50), st.integers(1, 30))
def test_what_was_written_in_parts_is_read_as_one(
    chunks: list[bytes], split_bytes: int | None, step: int
) -> None:
    whole = b"".join(chunks)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.tar"
        parts = written(path, chunks, split_bytes=split_bytes)
        assert b"".join(part.read_bytes() for part in parts) == whole
        if split_bytes is not None:
            assert all(part.stat().st_size == split_bytes for part in parts[:-1])
        reader = PartReader(parts)
        assert reader.size_bytes == len(whole)
        read = bytearray()
        while data := reader.read(step):
            read += data
        assert bytes(read) == whole
        reader.close()


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50), st.data())
def test_skipping_leads_where_reading_would(
    whole: bytes, split_bytes: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, len(whole)))
    with TemporaryDirectory() as folder:
        parts = written(Path(folder) / "a.tar", [whole], split_bytes=split_bytes)
        reader = PartReader(parts)
        reader.skip(count)
        assert reader.read_exactly(1000) == whole[count:]
        assert reader.read(1) == b""
        reader.skip(5)
        reader.close()


def test_files_have_their_names_only_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with PartWriter(path, split_bytes=2) as writer:
        writer.write(b"abcde")
        assert existing_parts(path) == ()
        parts = writer.finish()
    assert [part.name for part in parts] == ["a.tar.001", "a.tar.002", "a.tar.003"]
    assert sorted(tmp_path.iterdir()) == list(parts)


def test_nothing_is_left_of_a_stream_that_was_broken_off(tmp_path: Path) -> None:
    with PartWriter(tmp_path / "a.tar", split_bytes=2) as writer:
        writer.write(b"abcde")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_found_by_its_whole_or_by_its_first_part(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    for number in (1, 2, 4):
        part_path(path, number).write_bytes(b"x")
    expected = (part_path(path, 1), part_path(path, 2))
    assert existing_parts(path) == expected
    assert existing_parts(part_path(path, 1)) == expected
    assert existing_parts(tmp_path / "none") == ()
    path.write_bytes(b"whole")
    assert existing_parts(path) == (path,)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    for name in ("a.tar.arriving", "a.tar.007.arriving"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "b.tar.arriving").write_bytes(b"another's")
    written(tmp_path / "a.tar", [b"whole"], split_bytes=None)
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "b.tar.arriving"}
