from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smallhold.agents.runs import VolatileRuns
from smallhold.agents.runs.opening import opened_state, runs_in
from smallhold.exceptions import ConfigError
from smallhold.state import State


def test_without_a_state_runs_are_kept_in_memory() -> None:
    assert opened_state(None) is None
    assert isinstance(runs_in(None), VolatileRuns)


def test_a_path_or_url_becomes_a_state_and_a_state_stays_what_it_is(tmp_path: Path) -> None:
    made = opened_state(tmp_path / "state.db")
    assert isinstance(made, State)
    assert opened_state(made) is made
    assert isinstance(opened_state(str(tmp_path / "state.db")), State)
    assert not isinstance(runs_in(made), VolatileRuns)


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError):
        opened_state("mysql://nowhere/at-all")


def test_an_agent_without_a_state_loads_no_database() -> None:
    code = (
        "import sys; from smallhold import Agent, Config; from smallhold.testing import "
        "ScriptedRuntime; Agent(Config(name='x'), runtime=ScriptedRuntime([]));"
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
