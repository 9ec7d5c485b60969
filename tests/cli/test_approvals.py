from __future__ import annotations

import json

import anyio
import pytest
from tests.cli.conftest import CommandLine

from smallhold.state import State
from smallhold.state.approvals import Approval, ApprovalRequest


@pytest.fixture
def asked(command_line: CommandLine) -> Approval:
    """A request that waits in the default database."""
    command_line.home.mkdir(parents=True)

    async def ask() -> Approval:
        state = State(command_line.home / "state.db")
        request = ApprovalRequest(
            run="r1",
            call_id="c1",
            tool="refund",
            arguments={"order": 1042},
            why="It moves money.",
            session="kiosk-7",
        )
        approval = await state.approvals.request(request)
        await state.aclose()
        return approval

    return anyio.run(ask)


def status(command_line: CommandLine, approval: Approval) -> dict[str, object]:
    return json.loads(command_line("approvals", "show", approval.id, "--json").stdout)


def test_what_waits_is_listed(command_line: CommandLine, asked: Approval) -> None:
    told = json.loads(command_line("approvals", "list", "--json").stdout)
    assert [item["id"] for item in told] == [asked.id]
    assert asked.id in command_line("approvals", "list", "--session", "kiosk-7").stdout
    assert asked.id not in command_line("approvals", "list", "--session", "another").stdout


def test_a_yes_is_kept_with_who_gave_it(command_line: CommandLine, asked: Approval) -> None:
    done = command_line("approvals", "approve", asked.id, "--by", "Ada", "--comment", "Fine.")
    assert done.exit_code == 0
    told = status(command_line, asked)
    assert (told["status"], told["decided_by"], told["comment"]) == ("approved", "Ada", "Fine.")
    assert asked.id not in command_line("approvals", "list").stdout
    assert asked.id in command_line("approvals", "list", "--all").stdout


def test_a_no_is_kept_with_the_name_of_the_user(command_line: CommandLine, asked: Approval) -> None:
    assert command_line("approvals", "deny", asked.id).exit_code == 0
    told = status(command_line, asked)
    assert told["status"] == "denied"
    assert told["decided_by"]


@pytest.mark.parametrize("is_piped", [False, True])
def test_a_call_can_be_approved_with_other_arguments(
    command_line: CommandLine, asked: Approval, *, is_piped: bool
) -> None:
    text = '{"order": 7}'
    argument, stdin = ("-", text) if is_piped else (text, "")
    done = command_line("approvals", "edit", asked.id, argument, "--by", "Ada", stdin=stdin)
    assert done.exit_code == 0
    told = status(command_line, asked)
    assert (told["status"], told["edited_arguments"]) == ("approved", {"order": 7})


@pytest.mark.parametrize("text", ["[1]", "{", "null"])
def test_arguments_that_are_no_object_are_refused(
    command_line: CommandLine, asked: Approval, text: str
) -> None:
    done = command_line("approvals", "edit", asked.id, text)
    assert done.exit_code == 2
    assert status(command_line, asked)["status"] == "pending"


def test_a_yes_to_other_arguments_than_were_looked_at_is_refused(
    command_line: CommandLine, asked: Approval
) -> None:
    done = command_line("approvals", "approve", asked.id, "--hash", "0" * 64)
    assert done.exit_code == 2
    assert "nothing was approved" in done.stderr
    assert status(command_line, asked)["status"] == "pending"
    right = command_line("approvals", "approve", asked.id, "--hash", asked.arguments_hash)
    assert right.exit_code == 0


def test_deciding_twice_is_refused(command_line: CommandLine, asked: Approval) -> None:
    command_line("approvals", "deny", asked.id, "--by", "Ada")
    again = command_line("approvals", "approve", asked.id)
    assert again.exit_code == 2
    assert "by Ada" in again.stderr


def test_a_request_that_does_not_exist_is_named(command_line: CommandLine) -> None:
    shown = command_line("approvals", "show", "nothing-here")
    assert shown.exit_code == 2
    assert "nothing-here" in shown.stderr
