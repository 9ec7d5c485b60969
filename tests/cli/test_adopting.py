"""Promises of `smallhold.cli.adopting`: this file holds tests of using other programs' models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.cli.stored_models import know, settings_of
from tests.models.foreign_folders import HubCache, OllamaFolder

from smallhold.models import open_catalog, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine

CONTENT = b"the weights of a model"


@pytest.fixture
def ollama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OllamaFolder:
    folder = OllamaFolder(tmp_path / "ollama")
    monkeypatch.setenv("OLLAMA_MODELS", str(folder.root))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubCache:
    cache = HubCache(tmp_path / "hub")
    monkeypatch.setenv("HF_HUB_CACHE", str(cache.root))
    monkeypatch.setenv("HOME", str(tmp_path))
    return cache


def paths(command_line: CommandLine) -> dict[str, Path]:
    store = open_store(settings_of(command_line.home))
    return {model.reference: model.path for model in store.installed() if model.is_in_place}


def test_models_of_other_programs_are_listed(
    command_line: CommandLine, ollama: OllamaFolder, hub_cache: HubCache
) -> None:
    ollama.add(CONTENT, name="tiny:1b")
    hub_cache.add(b"unknown")
    know(command_line.home, "tiny", CONTENT)
    rows = json.loads(command_line("models", "adopt", "--json").stdout)
    assert [(row["name"], row["reference"], row["adopted"]) for row in rows] == [
        ("ollama:tiny:1b", "tiny:q4_0", False),
        ("huggingface:owner/tiny-GGUF/tiny.gguf", None, False),
    ]
    assert "ollama:tiny:1b" in command_line("models", "adopt").stdout


def test_all_that_the_catalog_knows_is_adopted_at_once(
    command_line: CommandLine, ollama: OllamaFolder, hub_cache: HubCache
) -> None:
    blob = ollama.add(CONTENT)
    hub_cache.add(b"unknown")
    know(command_line.home, "tiny", CONTENT)
    result = command_line("models", "adopt", "--all")
    assert result.exit_code == 0
    assert "tiny:q4_0 is used where it lies" in result.stdout
    assert paths(command_line) == {"tiny:q4_0": blob}
    assert "Nothing to adopt" in command_line("models", "adopt", "--all").stdout
    (row, _) = json.loads(command_line("models", "adopt", "--json").stdout)
    assert row["adopted"] is True


def test_a_model_is_adopted_by_its_alias(command_line: CommandLine, hub_cache: HubCache) -> None:
    blob = hub_cache.add(CONTENT)
    know(command_line.home, "tiny", CONTENT)
    assert command_line("models", "adopt", "tiny").exit_code == 0
    assert paths(command_line) == {"tiny:q4_0": blob}
    missing = command_line("models", "adopt", "phi-4-mini")
    assert missing.exit_code == 1
    assert "no other program" in missing.stderr


@pytest.mark.parametrize("name", ["ollama:tiny:1b", "FILE"])
def test_a_file_of_a_real_model_is_adopted_under_a_chosen_name(
    command_line: CommandLine,
    ollama: OllamaFolder,
    smollm2_path: Path,
    tmp_path: Path,
    name: str,
) -> None:
    know(command_line.home, "tiny", CONTENT)
    blob = ollama.add(b"placeholder", name="other:1b").parent / smollm2_path.name
    # A link within one disk is no copy, and 98 MB need not be written for a test.
    blob.hardlink_to(smollm2_path)
    digest, size = smollm2_path.name.removeprefix("sha256-"), smollm2_path.stat().st_size
    layer = {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": f"sha256:{digest}",
        "size": size,
    }
    ollama.write_manifest(json.dumps({"layers": [layer]}).encode(), name="tiny:1b")
    file = tmp_path / "My Model.gguf"
    file.hardlink_to(smollm2_path)
    text = str(file) if name == "FILE" else name
    result = command_line("models", "adopt", text, "--as", "mine", "--json")
    assert result.exit_code == 0, result.stderr
    (reference,) = json.loads(result.stdout)["adopted"]
    assert reference.startswith("mine:")
    assert open_catalog(settings_of(command_line.home)).resolve("mine").sha256 == digest
    assert list(paths(command_line)) == [reference]


def test_a_name_is_for_a_single_file(command_line: CommandLine, ollama: OllamaFolder) -> None:
    ollama.add(CONTENT)
    for arguments in ([], ["a.gguf", "b.gguf"], ["--all"]):
        result = command_line("models", "adopt", *arguments, "--as", "mine")
        assert result.exit_code == 2
        assert "exactly one" in result.stderr


def test_a_file_that_is_no_model_is_refused_with_one_line(
    command_line: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "letter.gguf").write_text("Dear Ada")
    result = command_line("models", "adopt", str(tmp_path / "letter.gguf"))
    assert result.exit_code == 1
    assert "not a sound GGUF file" in result.stderr
    assert not (command_line.home / "catalog.yaml").exists()


@pytest.mark.usefixtures("ollama", "hub_cache")
def test_where_no_other_program_is_nothing_is_listed(command_line: CommandLine) -> None:
    assert json.loads(command_line("models", "adopt", "--json").stdout) == []
