"""Promises of `smallhold.cli.a2a`: this file holds tests of `smallhold a2a ...`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.tools.mcp.served import served

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_an_agent_is_served_described_and_asked(command_line: CommandLine) -> None:
    with served("a2a", "serve", "desk:make") as url:
        card = json.loads(command_line("a2a", "card", "--json", url).stdout)
        shown = command_line("a2a", "send", url, "hello")
        answer = json.loads(command_line("a2a", "send", "--json", url, "-", stdin="hi").stdout)
        people = command_line("a2a", "card", url)
    assert [skill["id"] for skill in card["skills"]] == ["answer", "order_status"]
    assert shown.stdout == "You said 'hello', and every word of it has been understood here.\n"
    assert answer["text"].startswith("You said 'hi'")
    assert "order status" in people.stdout


def test_an_agent_that_is_not_there_is_a_failure(command_line: CommandLine) -> None:
    failed = command_line("a2a", "send", "http://127.0.0.1:1", "hello")
    assert failed.exit_code == 1
    assert "not available" in failed.stderr


def test_another_machine_has_to_be_allowed(command_line: CommandLine) -> None:
    refused = command_line("a2a", "card", "https://agents.example")
    assert refused.exit_code == 2
