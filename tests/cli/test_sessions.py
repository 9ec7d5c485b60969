from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import anyio
import pytest
from tests.cli.conftest import CommandLine

from smallhold.agents import Agent, Config
from smallhold.messages import JsonObject
from smallhold.state import State
from smallhold.testing import ScriptedRuntime, call

AGENTS = """
from smallhold import Agent, Config
from smallhold.testing import ScriptedRuntime

def make(state):
    return Agent(Config(name="shop"), runtime=ScriptedRuntime(["It is on its way."]), state=state)

forgetful = Agent(Config(name="shop"), runtime=ScriptedRuntime([]))
number = 3
"""


def order_status(order_id: str) -> str:
    """Look up an order.

    Args:
        order_id: Its number.
    """
    return f"{order_id} is on its way"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A database with the session `kiosk` of one turn with a call, and `left` with an open run."""
    place = tmp_path / "state.db"
    anyio.run(fill, place)
    return place


async def fill(place: Path) -> None:
    state = State(place)
    script = [call("order_status", order_id="1042"), "It is on its way."]
    agent = Agent(
        Config(name="shop"), runtime=ScriptedRuntime(script), tools=[order_status], state=state
    )
    await agent.run("Where is order 1042?", session="kiosk")
    payload: JsonObject = {"v": 1, "message": {"role": "user", "content": "And my lamp?"}}
    log = await state.sessions.accept("left", payload, lease_s=60)
    log.leave()
    await state.aclose()


def parsed(text: str) -> JsonObject:
    return cast("JsonObject", json.loads(text))


def open_run(command_line: CommandLine, place: Path) -> str:
    listed = command_line("sessions", "list", "--unfinished", "--state", str(place), "--json")
    (session,) = json.loads(listed.stdout)
    return str(session["open_run"])


def test_sessions_are_listed_with_what_has_not_ended(
    command_line: CommandLine, place: Path
) -> None:
    listed = command_line("sessions", "list", "--state", str(place))
    assert listed.exit_code == 0
    for text in ("kiosk", "Where is order 1042?", "left", "interrupted"):
        assert text in listed.stdout
    assert open_run(command_line, place) in listed.stdout


def test_a_session_is_shown_as_it_was_spoken_or_entry_by_entry(
    command_line: CommandLine, place: Path
) -> None:
    spoken = command_line("sessions", "show", "kiosk", "--state", str(place))
    assert "user: Where is order 1042?" in spoken.stdout
    assert 'order_status({"order_id": "1042"})' in spoken.stdout
    log = command_line("sessions", "show", "kiosk", "--log", "--state", str(place), "--json")
    entries = parsed(log.stdout)["log"]
    assert isinstance(entries, list)
    kinds = [entry["kind"] for entry in entries if isinstance(entry, dict)]
    assert kinds == ["message", "decision", "call_started", "result", "ended"]


def test_an_unknown_session_is_a_wrong_usage(command_line: CommandLine, place: Path) -> None:
    shown = command_line("sessions", "show", "nobody", "--state", str(place))
    assert shown.exit_code == 2
    assert "There is no session 'nobody'" in shown.stderr


def test_an_export_is_private_and_can_be_imported_elsewhere(
    command_line: CommandLine, place: Path, tmp_path: Path
) -> None:
    file, other = tmp_path / "kiosk.jsonl", str(tmp_path / "other.db")
    assert command_line("sessions", "export", "kiosk", "-o", str(file), "--state", str(place))
    assert file.stat().st_mode & 0o777 == 0o600
    imported = command_line("sessions", "import", str(file), "--state", other)
    assert imported.stdout == "kiosk\n"
    again = command_line("sessions", "import", str(file), "--state", other)
    assert again.exit_code == 2
    assert "already" in again.stderr
    renamed = command_line(
        "sessions", "import", "-", "--to", "copy", "--state", other, stdin=file.read_bytes()
    )
    assert renamed.stdout == "copy\n"
    exported = command_line("sessions", "export", "kiosk", "--state", other)
    assert exported.stdout == file.read_text("utf-8")


@pytest.mark.parametrize("text", ["", "no json", "\xff\xfe", '{"kind":"session","format":9}'])
def test_what_is_no_export_is_refused(command_line: CommandLine, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(text.encode("latin-1"))
    refused = command_line("sessions", "import", str(file), "--state", str(tmp_path / "state.db"))
    assert refused.exit_code in {1, 2}
    assert "Error: " in refused.stderr


def test_a_run_is_resumed_by_an_agent_that_a_function_makes(
    command_line: CommandLine, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop_agents_of_a_test.py").write_text(AGENTS, "utf-8")
    monkeypatch.chdir(tmp_path)
    run = open_run(command_line, place)
    resumed = command_line(
        "sessions", "resume", run, "--agent", "shop_agents_of_a_test:make", "--state", str(place)
    )
    assert resumed.stdout == "It is on its way.\n", resumed.stderr
    again = command_line(
        "sessions", "resume", run, "--agent", "shop_agents_of_a_test:make", "--state", str(place),
        "--json",
    )  # fmt: skip
    assert parsed(again.stdout)["text"] == "It is on its way."
    assert parsed(again.stdout)["run_id"] == run


@pytest.mark.parametrize("name", ["forgetful", "number"])
def test_a_run_is_resumed_by_nothing_else(
    command_line: CommandLine,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    (tmp_path / "shop_agents_of_a_test.py").write_text(AGENTS, "utf-8")
    monkeypatch.chdir(tmp_path)
    run = open_run(command_line, place)
    refused = command_line(
        "sessions", "resume", run, "--agent", f"shop_agents_of_a_test:{name}",
        "--state", str(place),
    )  # fmt: skip
    assert refused.exit_code == 2
    assert "--agent" in refused.stderr


def test_a_run_is_given_up(command_line: CommandLine, place: Path) -> None:
    run = open_run(command_line, place)
    assert command_line("sessions", "abandon", run, "--state", str(place)).exit_code == 0
    listed = command_line("sessions", "list", "--unfinished", "--state", str(place), "--json")
    assert json.loads(listed.stdout) == []


def test_a_session_is_branched_and_edited_and_the_way_on_is_told(
    command_line: CommandLine, place: Path
) -> None:
    branched = command_line(
        "sessions", "branch", "kiosk", "--to", "copy", "--at", "2", "--state", str(place)
    )
    assert branched.stdout == "copy\n"
    assert "smallhold sessions resume" in branched.stderr
    edited = command_line(
        "sessions", "edit", "kiosk", "Where is order 7?", "--at", "1", "--state", str(place)
    )
    assert "smallhold sessions resume" in edited.stderr
    shown = command_line("sessions", "show", "kiosk", "--log", "--state", str(place))
    assert "Where is order 7?" in shown.stdout
    whole = command_line(
        "sessions", "branch", "kiosk", "--to", "third", "--at", "nothing", "--state", str(place)
    )
    assert whole.exit_code == 2


def test_deleting_asks_first(command_line: CommandLine, place: Path) -> None:
    asked = command_line("sessions", "delete", "kiosk", "--state", str(place), stdin="n\n")
    assert asked.exit_code == 1
    assert command_line("sessions", "show", "kiosk", "--state", str(place)).exit_code == 0
    command_line("sessions", "delete", "kiosk", "--yes", "--state", str(place))
    assert command_line("sessions", "show", "kiosk", "--state", str(place)).exit_code == 2


def test_pruning_deletes_what_was_not_used_and_needs_a_limit(
    command_line: CommandLine, place: Path
) -> None:
    assert command_line("sessions", "prune", "--state", str(place)).exit_code == 2
    pruned = command_line("sessions", "prune", "--keep", "0", "--state", str(place), "--json")
    assert json.loads(pruned.stdout) == ["kiosk"]


def test_tenants_do_not_see_each_other_s_sessions(command_line: CommandLine, place: Path) -> None:
    listed = command_line("sessions", "list", "--tenant", "other", "--state", str(place), "--json")
    assert json.loads(listed.stdout) == []


def test_sessions_are_in_the_home_unless_somebody_says_otherwise(
    command_line: CommandLine,
) -> None:
    assert command_line("sessions", "list", "--json").stdout == "[]\n"
    assert (command_line.home / "state.db").is_file()
