from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine


@pytest.fixture
def filled(command_line: CommandLine) -> CommandLine:
    for arguments in (
        ("ann", "favourite drink", "green tea"),
        ("ann", "favourite drink", "coffee"),
        ("ann", "allergy", "nuts", "--also"),
        ("ann", "allergy", "milk", "--also"),
        ("bob", "table", "7", "--days", "0"),
    ):
        result = command_line("memory", "add", *arguments)
        assert result.exit_code == 0, result.output
    return command_line


def test_subjects_and_their_facts_are_listed(filled: CommandLine) -> None:
    assert filled("memory", "list").stdout.split() == ["subject", "\u2501" * 9, "ann", "bob"]
    listed = filled("memory", "list", "ann").stdout
    assert "coffee" in listed
    assert "100%" in listed
    assert "green tea" not in listed
    assert json.loads(filled("memory", "list", "--json").stdout) == ["ann", "bob"]
    facts = json.loads(filled("memory", "list", "ann", "--json").stdout)
    assert [fact["value"] for fact in facts] == ["coffee", "nuts", "milk"]


def test_history_shows_what_was_replaced(filled: CommandLine) -> None:
    facts = json.loads(filled("memory", "history", "ann", "Favourite-Drink", "--json").stdout)
    assert [(fact["value"], fact["status"]) for fact in facts] == [
        ("green tea", "superseded"),
        ("coffee", "current"),
    ]
    assert "green tea" in filled("memory", "history", "ann").stdout
    (expired,) = json.loads(filled("memory", "history", "bob", "--json").stdout)
    assert expired["status"] == "expired"


def test_a_search_finds_the_best_first(filled: CommandLine) -> None:
    found = json.loads(filled("memory", "search", "what may ann drink", "--json").stdout)
    assert found[0]["value"] == "coffee"
    assert found[0]["score"] > 0
    narrow = filled("memory", "search", "drink", "--subject", "ann", "--limit", "1")
    assert "coffee" in narrow.stdout
    assert "nuts" not in narrow.stdout


def test_an_export_is_json_on_stdout_or_a_private_file(filled: CommandLine, tmp_path: Path) -> None:
    document = json.loads(filled("memory", "export", "ann").stdout)
    assert len(document["facts"]) == 4
    file = tmp_path / "ann.json"
    assert filled("memory", "export", "ann", "-o", str(file)).exit_code == 0
    assert json.loads(file.read_text("utf-8"))["facts"] == document["facts"]
    assert file.stat().st_mode & 0o077 == 0


def test_a_fact_is_forgotten_by_its_id(filled: CommandLine) -> None:
    (fact, *_) = json.loads(filled("memory", "list", "ann", "--json").stdout)
    assert filled("memory", "forget", fact["id"]).exit_code == 0
    again = filled("memory", "forget", fact["id"])
    assert again.exit_code == 1
    assert "There is no fact" in again.stderr


def test_erasing_asks_first(filled: CommandLine) -> None:
    refused = filled("memory", "erase", "ann", stdin="n\n")
    assert refused.exit_code == 1
    assert json.loads(filled("memory", "list", "--json").stdout) == ["ann", "bob"]


def test_an_erasure_says_what_was_removed_where(filled: CommandLine) -> None:
    done = filled("memory", "erase", "ann", "--yes", "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert (report["facts"], report["is_complete"]) == (4, True)
    assert json.loads(filled("memory", "list", "--json").stdout) == ["bob"]
    assert "0 facts" in filled("memory", "erase", "ann", "--yes").stdout


def test_pruning_removes_what_has_expired(filled: CommandLine) -> None:
    assert json.loads(filled("memory", "prune", "--json").stdout)["facts"] == 1
    assert filled("memory", "prune").stdout.strip() == "0 facts removed."


def test_another_tenant_sees_nothing(filled: CommandLine) -> None:
    listed = filled("memory", "list", "--tenant", "other", "--json")
    assert json.loads(listed.stdout) == []


def test_control_characters_of_a_fact_do_not_reach_the_terminal(command_line: CommandLine) -> None:
    refused = command_line("memory", "add", "ann", "drink", "tea\x1b[2J")
    assert refused.exit_code == 2
    assert "\x1b" not in refused.output
