from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.cli.state_options import (
    KEY_VARIABLE,
    default_place,
    open_state,
    state_for,
    state_keys,
    with_state,
)
from smallhold.exceptions import ConfigError
from smallhold.security import KeyRing
from smallhold.state import State


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SMALLHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return tmp_path / "home"


def test_the_state_is_in_the_home_unless_a_place_is_named(home: Path, tmp_path: Path) -> None:
    assert default_place() == home / "state.db"
    assert open_state(None).database.address.path == home / "state.db"
    assert open_state(str(tmp_path / "x.db")).database.address.path == tmp_path / "x.db"


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_keys() is None
    monkeypatch.setenv(KEY_VARIABLE, KeyRing.generate("2026").text())
    keys = open_state(None).database.keys
    assert keys is not None
    assert keys.ids == ("2026",)


def test_keys_that_are_none_are_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "a:canary")
    with pytest.raises(ConfigError) as caught:
        state_keys()
    assert "canary" not in str(caught.value)


def test_nothing_is_kept_unless_a_session_or_a_place_is_named(tmp_path: Path) -> None:
    assert state_for(None, session=None) is None
    assert state_for(None, session="kiosk") is not None
    assert state_for(str(tmp_path / "x.db"), session=None) is not None


def test_work_on_a_state_gives_what_it_gives_and_leaves_nothing_open(tmp_path: Path) -> None:
    async def work(state: State) -> int:
        return len(await state.sessions.list())

    assert with_state(str(tmp_path / "x.db"), work) == 0
    with pytest.raises(ConfigError):
        with_state(str(tmp_path / "no" / "folder.db"), work)
