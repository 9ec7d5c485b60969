from __future__ import annotations

import io
from pathlib import Path

import pytest

from smallhold.cli.session_files import read_lines, write_private
from smallhold.exceptions import ConfigError, SessionImportError


def test_lines_are_read_from_a_file_or_from_stdin(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("eins\nzwölf\n", "utf-8")
    assert read_lines(str(file), stdin=io.BytesIO()) == ("eins\n", "zwölf\n")
    assert read_lines("-", stdin=io.BytesIO(b"one\ntwo")) == ("one\n", "two")


def test_a_line_that_is_no_text_is_named() -> None:
    with pytest.raises(SessionImportError, match="UTF-8") as caught:
        read_lines("-", stdin=io.BytesIO(b"one\n\xff\n"))
    assert caught.value.line == 2


def test_a_file_that_cannot_be_read_or_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_lines(str(tmp_path / "nothing"), stdin=io.BytesIO())
    with pytest.raises(ConfigError, match="--output"):
        write_private(tmp_path / "no" / "folder", "x")


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    write_private(file, "one\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text("utf-8") == "one\n"
