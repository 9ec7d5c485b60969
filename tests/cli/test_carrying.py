"""Promises of `smallhold.cli.carrying`: this file holds tests of carrying models by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import CommandLine
from tests.cli.stored_models import install, settings_of

from smallhold.exceptions import ConfigError
from smallhold.models import open_catalog, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from smallhold.models import CatalogModel

from smallhold.cli.carrying import refusal_for
from smallhold.models.catalog.signing import SigningKey
from smallhold.settings import Settings


@pytest.fixture
def other_machine(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "other home")


def test_models_are_carried_from_one_machine_to_another(
    command_line: CommandLine, other_machine: CommandLine, tmp_path: Path
) -> None:
    install(command_line.home, "tiny", b"weights")
    install(command_line.home, "other", b"other weights")
    written = json.loads(command_line("models", "export", "--to", str(tmp_path), "--json").stdout)
    assert [item["reference"] for item in written["models"]] == ["tiny:q4_0", "other:q4_0"]
    (archive,) = written["files"]
    result = other_machine("models", "import", archive)
    assert result.exit_code == 0
    assert "added" in result.stdout
    settings = settings_of(other_machine.home)
    entry = open_catalog(settings).resolve("tiny")
    assert open_store(settings).require(entry).read_bytes() == b"weights"
    again = json.loads(other_machine("models", "import", archive, "--json").stdout)
    assert {item["action"] for item in again["models"]} == {"skipped"}


def test_dry_runs_say_what_would_happen_and_write_nothing(
    command_line: CommandLine, other_machine: CommandLine, tmp_path: Path
) -> None:
    install(command_line.home, "tiny", b"weights")
    archive = tmp_path / "a.tar"
    planned = command_line("models", "export", "tiny", "--to", str(archive), "--dry-run")
    assert "would be written" in planned.stdout
    assert not archive.exists()
    assert command_line("models", "export", "tiny", "--to", str(archive)).exit_code == 0
    plan = json.loads(other_machine("models", "import", str(archive), "--dry-run", "--json").stdout)
    assert (plan["dry_run"], plan["copied_bytes"]) == (True, 7)
    assert not other_machine.home.exists()


def test_an_archive_is_not_overwritten_by_accident(
    command_line: CommandLine, tmp_path: Path
) -> None:
    install(command_line.home, "tiny", b"weights")
    assert command_line("models", "export", "--to", str(tmp_path)).exit_code == 0
    refused = command_line("models", "export", "--to", str(tmp_path))
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert command_line("models", "export", "--to", str(tmp_path), "--force").exit_code == 0


def test_parts_for_a_stick_are_imported_by_their_first(
    command_line: CommandLine, other_machine: CommandLine, tmp_path: Path
) -> None:
    install(command_line.home, "large", bytes(2_500_000))
    written = json.loads(
        command_line(
            "models", "export", "large", "--to", str(tmp_path), "--split", "1MB", "--json"
        ).stdout
    )
    assert (written["part_count"], len(written["files"])) == (3, 3)
    assert other_machine("models", "import", written["files"][0]).exit_code == 0


def test_a_machine_without_models_has_nothing_to_export(
    command_line: CommandLine, tmp_path: Path
) -> None:
    result = command_line("models", "export", "--to", str(tmp_path))
    assert result.exit_code == 2
    assert "pull one first" in result.stderr


def test_what_is_no_archive_fails_with_one_line(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"Dear Ada" * 200)
    result = command_line("models", "import", str(tmp_path / "a.tar"))
    assert result.exit_code == 1
    assert "no archive" in result.stderr
    assert "Traceback" not in result.stderr


def test_only_named_models_are_imported(
    command_line: CommandLine, other_machine: CommandLine, tmp_path: Path
) -> None:
    install(command_line.home, "tiny", b"weights")
    install(command_line.home, "other", b"other weights")
    archive = str(tmp_path / "a.tar")
    command_line("models", "export", "--to", archive)
    assert other_machine("models", "import", archive, "tiny").exit_code == 0
    assert [m.alias for m in open_store(settings_of(other_machine.home)).installed()] == ["tiny"]


def test_models_are_refused_only_where_keys_are_set(
    command_line: CommandLine, tmp_path: Path
) -> None:
    install(command_line.home, "tiny", b"weights")
    model = open_catalog(settings_of(command_line.home)).model("tiny")
    free = Settings(home=tmp_path, cache=tmp_path)
    judge: Callable[[CatalogModel], str | None] = refusal_for(free)
    assert judge(model) is None
    key = SigningKey.generate()
    bound = Settings(home=tmp_path, cache=tmp_path, catalog_keys=(key.public.text,))
    assert refusal_for(bound)(model) == "it is not signed"
    with pytest.raises(ConfigError):
        refusal_for(Settings(home=tmp_path, cache=tmp_path, catalog_keys=("no key",)))
