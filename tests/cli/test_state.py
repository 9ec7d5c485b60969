from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from tests.cli.conftest import CommandLine
from tests.state.care.filling import CANARY, all_bytes, fill

from smallhold.cli.state_options import KEY_VARIABLE
from smallhold.security import KeyRing
from smallhold.state import State


@pytest.fixture
def place(command_line: CommandLine) -> Path:
    """A database in the clear with something in it, where commands look for one."""
    command_line.home.mkdir(parents=True)
    path = command_line.home / "state.db"

    async def make() -> None:
        state = State(path)
        await fill(state, sessions=40)
        await state.aclose()

    anyio.run(make)
    return path


def test_a_sound_database_passes_the_check(command_line: CommandLine, place: Path) -> None:
    checked = command_line("state", "check")
    assert checked.exit_code == 0
    assert f"{place.name} is sound" in checked.stdout


def test_a_damaged_database_fails_the_check_until_it_is_repaired(
    command_line: CommandLine, place: Path
) -> None:
    content = bytearray(place.read_bytes())
    content[:4096] = bytes(4096)
    place.write_bytes(content)
    checked = command_line("state", "check", "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["is_sound"] is False
    repaired = json.loads(command_line("state", "repair", "--json").stdout)
    assert Path(repaired["kept"]).exists()
    assert command_line("state", "check").exit_code == 0


def test_a_database_that_does_not_exist_is_not_made(command_line: CommandLine) -> None:
    checked = command_line("state", "check")
    assert checked.exit_code == 2
    assert not (command_line.home / "state.db").exists()


def test_a_backup_is_made_listed_and_restored(
    command_line: CommandLine, place: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "monday.db"
    assert command_line("state", "backup", str(backup)).exit_code == 0
    (known,) = json.loads(command_line("state", "backups", "--json").stdout)
    assert known["path"] == str(backup)
    assert "monday.db" in command_line("state", "backups").stdout
    refused = command_line("state", "restore", str(backup))
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert place.exists()
    done = command_line("state", "restore", str(backup), "--overwrite")
    assert done.exit_code == 0
    assert "is kept in" in done.stdout
    assert command_line("state", "forget-backup", known["id"]).exit_code == 0
    assert json.loads(command_line("state", "backups", "--json").stdout) == []


def test_a_database_is_encrypted_with_a_key_that_was_just_made(
    command_line: CommandLine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = command_line("state", "new-key", "2026-11").stdout.strip()
    assert KeyRing.parse(key).active == "2026-11"
    assert CANARY.encode() in all_bytes(place.parent)
    monkeypatch.setenv(KEY_VARIABLE, key)
    rotated = command_line("state", "rotate")
    assert rotated.exit_code == 0
    assert "'2026-11'" in rotated.stdout
    assert CANARY.encode() not in all_bytes(place.parent)
    assert command_line("state", "check").exit_code == 0
    monkeypatch.delenv(KEY_VARIABLE)
    without = command_line("state", "check")
    assert without.exit_code == 1
    assert KEY_VARIABLE in without.stderr


def test_a_rotation_without_a_key_says_what_is_missing(
    command_line: CommandLine, place: Path
) -> None:
    rotated = command_line("state", "rotate", "--state", str(place))
    assert rotated.exit_code == 2
    assert "keys" in rotated.stderr
