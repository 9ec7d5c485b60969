"""Promises of `smallhold.cli.a2a_talk`: this file holds tests of cards and answers on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.tools.a2a.conftest import agent_process

from smallhold.cli.a2a_talk import card_table, description_json, remote_agent, talk
from smallhold.exceptions import ConfigError
from smallhold.tools.a2a import AgentDescription, Skill

if TYPE_CHECKING:
    from tests.cli.conftest import Screen

pytestmark = pytest.mark.anyio
CARD = AgentDescription(
    name="desk",
    description="Knows orders.\x1b[2J",
    version="1",
    skills=(Skill(id="a", name="Find", description="Finds."),),
)


def test_a_card_is_laid_out_without_control_characters(screen: Screen) -> None:
    screen.console.print(*card_table(CARD), sep="\n")
    assert "Find" in screen.text
    assert "\x1b" not in screen.text
    assert description_json(CARD)["name"] == "desk"


def test_another_machine_has_to_be_allowed() -> None:
    with pytest.raises(ConfigError):
        remote_agent("https://agents.example", headers=(), is_remote=False)
    assert remote_agent("https://agents.example", headers=(), is_remote=True).remote_host


async def test_an_answer_is_shown_as_it_comes_and_only_once(screen: Screen) -> None:
    with agent_process() as url:
        agent = remote_agent(url, headers=(), is_remote=False)
        answer = await talk(agent, "stream", console=screen.console)
        assert screen.text.strip() == answer.strip()
        assert await talk(agent, "message", console=None) == "a plain message"
