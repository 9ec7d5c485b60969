from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.cli.session_agent import agent_for
from smallhold.exceptions import ConfigError, ModelNotInstalledError
from smallhold.state import State

MODULE = """
from smallhold import Agent, Config
from smallhold.testing import ScriptedRuntime

def make(state):
    return Agent(Config(name="made"), runtime=ScriptedRuntime([]), state=state)

ready = make("ready.db")
text = "no agent"
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    (tmp_path / "agents_for_a_test.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return State(tmp_path / "state.db")


def test_a_function_is_given_the_state(state: State) -> None:
    agent = agent_for("agents_for_a_test:make", state=state)
    assert (agent.config.name, agent.state) == ("made", state)


def test_an_agent_brings_its_own_state(state: State) -> None:
    agent = agent_for("agents_for_a_test:ready", state=state)
    assert agent.state not in {None, state}


def test_what_is_no_agent_is_refused(state: State) -> None:
    with pytest.raises(ConfigError, match="name an Agent"):
        agent_for("agents_for_a_test:text", state=state)


def test_without_a_name_it_is_the_command_line_s_own_agent(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALLHOLD_HOME", str(tmp_path))
    with pytest.raises(ModelNotInstalledError):
        agent_for(None, state=state)
