from __future__ import annotations

import json

import anyio
import pytest
from tests.cli.conftest import CommandLine

from smallhold.exceptions import RejectedEffectError
from smallhold.state import State
from smallhold.state.outbox import OutboxItem


@pytest.fixture
def rejected(command_line: CommandLine) -> OutboxItem:
    """An effect that was rejected, with another waiting behind it, in the default database."""
    command_line.home.mkdir(parents=True)

    async def reject(_item: OutboxItem) -> None:
        raise RejectedEffectError(reason="no such order")

    async def put() -> OutboxItem:
        state = State(command_line.home / "state.db")
        item = await state.outbox.put(destination="orders", body={"n": 1}, session="kiosk-7")
        await state.outbox.put(destination="orders", body={"n": 2}, session="kiosk-7")
        await state.outbox.deliver(reject)
        await state.aclose()
        return item

    return anyio.run(put)


def listed(command_line: CommandLine, *arguments: str) -> list[dict[str, object]]:
    return json.loads(command_line("outbox", "list", "--json", *arguments).stdout)


def test_effects_are_listed_by_status_and_session(
    command_line: CommandLine, rejected: OutboxItem
) -> None:
    assert len(listed(command_line)) == 2
    assert [item["id"] for item in listed(command_line, "--status", "rejected")] == [rejected.id]
    assert listed(command_line, "--session", "another") == []
    assert rejected.id in command_line("outbox", "list").stdout


def test_an_effect_is_shown_with_why_it_failed(
    command_line: CommandLine, rejected: OutboxItem
) -> None:
    assert "no such order" in command_line("outbox", "show", rejected.id).stdout


def test_a_rejected_effect_can_be_retried(command_line: CommandLine, rejected: OutboxItem) -> None:
    told = json.loads(command_line("outbox", "retry", rejected.id, "--json").stdout)
    assert told["status"] == "waiting"
    assert len(listed(command_line, "--status", "waiting")) == 2


def test_a_rejected_effect_can_be_dropped(command_line: CommandLine, rejected: OutboxItem) -> None:
    assert command_line("outbox", "drop", rejected.id).exit_code == 0
    again = command_line("outbox", "drop", rejected.id)
    assert again.exit_code == 2
    assert "dropped already" in again.stderr


def test_an_effect_that_does_not_exist_is_named(command_line: CommandLine) -> None:
    shown = command_line("outbox", "show", "nothing-here")
    assert shown.exit_code == 2
    assert "nothing-here" in shown.stderr
