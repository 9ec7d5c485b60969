"""Promises of `smallhold.cli.storing`: this file holds tests of the commands of the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.stored_models import install, settings_of

from smallhold.models import open_store
from smallhold.models.pulling.partial_file import PartialFile, PartialNotes

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_model_is_removed(command_line: CommandLine) -> None:
    path = install(command_line.home, "tiny", b"weights")
    result = command_line("models", "remove", "tiny")
    assert result.exit_code == 0
    assert "tiny:q4_0 was removed" in result.stdout
    assert not path.exists()


def test_removing_what_is_not_there_fails_and_says_so(command_line: CommandLine) -> None:
    result = command_line("models", "remove", "tiny", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "'tiny' is not on this machine" in result.stderr


def test_a_loaded_model_is_not_removed(command_line: CommandLine) -> None:
    path = install(command_line.home, "tiny", b"weights")
    with open_store(settings_of(command_line.home)).in_use(path):
        result = command_line("models", "remove", "tiny")
    assert result.exit_code == 1
    assert "is loaded" in result.stderr
    assert path.exists()


def test_a_pinned_model_survives_a_limit_and_an_unpinned_one_does_not(
    command_line: CommandLine,
) -> None:
    path = install(command_line.home, "tiny", b"weights")
    assert "tiny:q4_0" in command_line("models", "pin", "tiny").stdout
    assert command_line("models", "gc", "--limit", "1B").exit_code == 0
    assert path.exists()
    document = json.loads(command_line("models", "unpin", "tiny", "--json").stdout)
    assert document == {"unpinned": ["tiny:q4_0"]}
    report = json.loads(command_line("models", "gc", "--limit", "1B", "--json").stdout)
    assert report["freed_bytes"] == 7
    assert report["evicted"] == [{"references": ["tiny:q4_0"], "size_bytes": 7}]
    assert not path.exists()


def test_without_a_limit_no_model_is_evicted(command_line: CommandLine) -> None:
    path = install(command_line.home, "tiny", b"weights")
    assert json.loads(command_line("models", "gc", "--json").stdout)["freed_bytes"] == 0
    assert path.exists()


def test_a_dry_run_deletes_nothing(command_line: CommandLine) -> None:
    path = install(command_line.home, "tiny", b"weights")
    result = command_line("models", "gc", "--limit", "1B", "--dry-run", "--partials")
    assert "would be evicted" in result.stdout
    assert path.exists()


def test_a_limit_that_is_no_size_is_wrong_usage(command_line: CommandLine) -> None:
    result = command_line("models", "gc", "--limit", "much")
    assert result.exit_code == 2
    assert "--limit" in result.stderr


def test_a_file_that_lost_its_record_is_kept_when_the_catalog_knows_it(
    command_line: CommandLine,
) -> None:
    path = install(command_line.home, "tiny", b"weights")
    store = open_store(settings_of(command_line.home))
    store.layout.record("tiny:q4_0").unlink()
    stranger = path.with_name("sha256-" + "a" * 64)
    stranger.write_bytes(b"who knows")
    report = json.loads(command_line("models", "gc", "--json").stdout)
    assert report["orphans"] == [str(stranger)]
    assert path.exists()
    assert store.named("tiny").path == path


def test_interrupted_pulls_are_deleted_only_on_demand(command_line: CommandLine) -> None:
    store = open_store(settings_of(command_line.home))
    partial = PartialFile(store.layout.partial("sha256-" + "a" * 64))
    partial.restart(PartialNotes(source="test"))
    partial.append(b"arriving")
    assert "--partials deletes them" in command_line("models", "gc").stdout
    assert partial.size_bytes == 8
    report = json.loads(command_line("models", "gc", "--partials", "--json").stdout)
    assert (report["freed_bytes"], report["partials_bytes"]) == (8, 0)


def test_sound_models_are_verified(command_line: CommandLine) -> None:
    install(command_line.home, "tiny", b"weights")
    result = command_line("models", "verify")
    assert result.exit_code == 0
    assert "tiny:q4_0: sound" in result.stdout


def test_a_damaged_model_is_found_and_named(command_line: CommandLine) -> None:
    install(command_line.home, "sound", b"sound weights")
    install(command_line.home, "tiny", b"weights").write_bytes(b"WEIGHTS")
    result = command_line("models", "verify", "--json")
    assert result.exit_code == 1
    sound, tiny = json.loads(result.stdout)
    assert sound == {"reference": "sound:q4_0", "sound": True, "problem": None}
    assert (tiny["reference"], tiny["sound"]) == ("tiny:q4_0", False)
    assert "sha256" in tiny["problem"]
    assert "No" not in command_line("models", "verify").stderr


def test_only_named_models_are_verified(command_line: CommandLine) -> None:
    install(command_line.home, "sound", b"sound weights")
    install(command_line.home, "tiny", b"weights").write_bytes(b"WEIGHTS")
    assert command_line("models", "verify", "sound").exit_code == 0
