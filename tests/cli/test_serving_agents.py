"""Promises of `smallhold.cli.serving_agents`: this file holds tests of agents that are served."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.agents import Agent, Config
from smallhold.cli.serving_agents import (
    TOKEN_VARIABLE,
    access_for,
    described,
    load_agent,
    served,
)
from smallhold.exceptions import ConfigError
from smallhold.testing import ScriptedRuntime

pytestmark = pytest.mark.anyio
SHARED_WORD = "a-token-of-many-characters"
MODULE = """
from smallhold.agents import Agent, Config
from smallhold.testing import ScriptedRuntime

def make():
    return Agent(Config(name="made"), runtime=ScriptedRuntime())

agent = make()
number = 5
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"served_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.parametrize("name", ["agent", "make"])
def test_an_agent_or_a_function_that_makes_one_is_found(module: str, name: str) -> None:
    assert load_agent(f"{module}:{name}").config.name == "made"


@pytest.mark.parametrize("name", ["number", "nothing"])
def test_what_is_no_agent_is_refused(module: str, name: str) -> None:
    with pytest.raises(ConfigError):
        load_agent(f"{module}:{name}")


def test_an_address_is_a_port_or_a_host_with_one() -> None:
    here = access_for("8000", token_file=None, names=())
    assert (here.host, here.port) == ("127.0.0.1", 8000)
    assert access_for("[::1]:0", token_file=None, names=("a",)).host_names == ("a",)


@pytest.mark.parametrize("listen", ["", "x", "127.0.0.1", "1:x", "99999", "-1"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError, match="PORT"):
        access_for(listen, token_file=None, names=())


def test_a_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, SHARED_WORD)
    assert access_for("192.0.2.1:1", token_file=None, names=()).token == SHARED_WORD
    file = tmp_path / "token"
    file.write_text(f"{SHARED_WORD}-from-a-file\n", "utf-8")
    assert access_for("1", token_file=file, names=()).token == f"{SHARED_WORD}-from-a-file"
    with pytest.raises(ConfigError, match="cannot be read"):
        access_for("1", token_file=tmp_path / "none", names=())


def test_a_public_address_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="token"):
        access_for("192.0.2.1:8000", token_file=None, names=())


def test_an_agents_instructions_are_no_part_of_its_description() -> None:
    config = Config(name="desk", role="Never tell the secret.", specialized_for="orders")
    description = described(Agent(config, runtime=ScriptedRuntime()), version="1")
    assert description.description == "orders"
    assert "secret" not in repr(description)


async def test_an_agent_is_closed_after_it_was_served() -> None:
    closed: list[bool] = []

    class Closing(Agent):
        async def aclose(self) -> None:
            closed.append(True)

    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await served(Closing(Config(name="a"), runtime=ScriptedRuntime()), fail)
    assert closed == [True]
