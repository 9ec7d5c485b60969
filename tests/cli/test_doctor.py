"""Promises of `smallhold.cli.doctor`: this file holds tests of looking at a real machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smallhold.cli.doctor import installed_files, show_findings
from smallhold.models import ModelStore, PowerState, load_catalog
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


def test_a_model_that_was_asked_for_is_what_should_run(
    smollm2_path: Path, tmp_path: Path, program: Program
) -> None:
    blobs = tmp_path / "models" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / smollm2_path.name).symlink_to(smollm2_path)
    done = program(
        "doctor", "--json", "--model", "smollm2-135m:q4_1",
        environ={"SMALLHOLD_HOME": str(tmp_path)},
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert document["can_run"] is True
    assert document["default_model"] == "smollm2-135m:q4_1"
    assert document["choice"]["reference"] == "smollm2-135m:q4_1"
    assert document["engine"]["backends"] == ["CPU"]


def test_a_model_that_there_is_not_is_a_mistake_of_usage(command_line: CommandLine) -> None:
    result = command_line("doctor", "--model", "smollm2-136m")
    assert result.exit_code == 2
    assert "or smollm2-135m" in result.stderr


def test_the_best_model_for_the_machine_is_named_with_its_reasons(
    command_line: CommandLine,
) -> None:
    document: dict[str, Any] = json.loads(command_line("doctor", "--json").stdout)
    recommended = document["recommended"]
    assert recommended["memory"]["total_bytes"] <= document["hardware"]["total_memory_bytes"]
    assert "most-parameters" in {reason["kind"] for reason in recommended["reasons"]}
    assert document["choice"]["alias"] == "qwen2.5-coder-0.5b"
    assert set(document["power"]) >= {"on_battery", "memory_pressure_ratio"}


def test_a_store_that_is_not_there_holds_no_models(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "none", cache=tmp_path)
    assert installed_files(settings, catalog=load_catalog()) == ()


def test_a_model_that_only_embeds_sentences_cannot_run_agents(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path)
    store = ModelStore(settings.model_store)
    catalog = load_catalog()
    for alias in ("all-minilm-l6-v2", "smollm2-135m"):
        entry = catalog.resolve(alias)
        path = store.layout.blob(str(entry.sha256))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(entry.size_bytes)
    files = installed_files(settings, catalog=catalog)
    assert [entry.reference for entry in files] == ["smollm2-135m:q4_1"]


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


def test_people_read_battery_heat_and_what_the_engine_computes_on(
    sound_findings: Findings, screen: Screen
) -> None:
    power = PowerState(on_battery=True, battery_ratio=0.5, hottest_celsius=70.0)
    show_findings(replace(sound_findings, power=power), console=screen.console)
    assert "on battery, 50% full" in screen.text
    assert "70 °C" in screen.text
    assert "computes on" in screen.text
