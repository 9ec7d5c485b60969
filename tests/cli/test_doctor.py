"""Promises of `smallhold.cli.doctor`: this file holds tests of looking at a real machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smallhold.cli.doctor import installed_models, show_findings
from smallhold.models import ModelStore, load_catalog
from smallhold.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine, Program, Screen

    from smallhold.cli.findings import Findings


def test_a_machine_without_models_is_told_what_to_pull(command_line: CommandLine) -> None:
    result = command_line("doctor")
    assert result.exit_code == 1
    assert "Run: smallhold pull qwen2.5-coder-0.5b" in result.stdout


def test_json_is_one_document_with_the_same_verdict(command_line: CommandLine) -> None:
    result = command_line("doctor", "--json")
    document: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["can_run"] is False
    assert document["models"] == []
    assert document["hardware"]["usable_cores"] >= 1


def test_a_model_that_is_there_is_measured(
    smollm2_path: Path, tmp_path: Path, program: Program
) -> None:
    blobs = tmp_path / "models" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / smollm2_path.name).symlink_to(smollm2_path)
    done = program("doctor", "--json", environ={"SMALLHOLD_HOME": str(tmp_path)})
    document = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert document["models"] == ["smollm2-135m"]
    assert document["engine"]["installed"] is True
    assert document["engine"]["cpu_features"]
    assert document["speed"]["model"] == "smollm2-135m"
    assert document["speed"]["decode_tokens_per_s"] > 0
    assert [problem["command"] for problem in document["problems"]] == [
        "smallhold pull qwen2.5-coder-0.5b"
    ]


def test_a_store_that_is_not_there_holds_no_models(tmp_path: Path) -> None:
    assert installed_models(Settings(home=tmp_path / "none", cache=tmp_path)) == ()


def test_a_model_that_only_embeds_sentences_cannot_run_agents(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path)
    store = ModelStore(settings.model_store)
    embeds, answers = (load_catalog().resolve(a) for a in ("all-minilm-l6-v2", "smollm2-135m"))
    for entry in (embeds, answers):
        path = store.blob_path(str(entry.sha256))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(entry.size_bytes)
    assert installed_models(settings) == ("smollm2-135m",)


def test_people_read_speed_and_verdict(sound_findings: Findings, screen: Screen) -> None:
    show_findings(sound_findings, console=screen.console)
    assert "200 tokens/s" in screen.text
    assert "40 tokens/s" in screen.text
    assert "2 usable of 4" in screen.text
    assert screen.text.endswith("✓ small runs on this machine.\n")


def test_people_read_the_command_that_mends_a_problem(
    sound_findings: Findings, screen: Screen
) -> None:
    show_findings(replace(sound_findings, models=()), console=screen.console)
    assert "✗ The model small is not on this machine.  Run: smallhold pull small\n" in screen.text
    assert "runs on this machine" not in screen.text
