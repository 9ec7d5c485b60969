"""Promises of `smallhold.cli.quantizing`: this file holds tests of the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.models.conftest import GGUFMaker
from tests.tiny_models import write_llama

from smallhold.models.gguf.header import read_gguf_header

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture
def source(tmp_path: Path) -> str:
    return str(write_llama(tmp_path / "tiny-F32.gguf"))


def test_a_file_is_written_and_compared(
    command_line: CommandLine, source: str, tmp_path: Path
) -> None:
    out = tmp_path / "q.gguf"
    result = command_line("models", "quantize", source, "--to", "q4_0", "--out", str(out), "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert read_gguf_header(out).file_type == "Q4_0"
    assert document["path"] == str(out)
    assert document["reference"] is None
    assert document["size_ratio"] == pytest.approx(
        out.stat().st_size / Path(source).stat().st_size, abs=1e-4
    )
    assert "to Q4_0" in result.stderr


def test_a_model_of_the_store_can_be_used_by_its_name(
    command_line: CommandLine, source: str
) -> None:
    made = command_line("models", "quantize", source, "--to", "Q8_0", "--as", "mine")
    assert made.exit_code == 0
    assert "mine:q8_0" in made.stderr
    again = command_line(
        "models", "quantize", "mine:q8_0", "--to", "Q4_0", "--allow-requantize", "--json"
    )
    assert json.loads(again.stdout)["reference"] == "mine:q4_0"
    shown = command_line("models", "show", "mine", "--json")
    assert shown.exit_code == 0


def test_a_file_without_a_name_gets_its_own(command_line: CommandLine, source: str) -> None:
    result = command_line("models", "quantize", source, "--to", "Q8_0", "--json")
    assert json.loads(result.stdout)["reference"] == "tiny:q8_0"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "q9"), "Q4_K_M"),
        (("--to", "q4_0", "--as", "No Name"), "lower-case"),
        (("--to", "q4_0", "--as", "x", "--out", "x.gguf"), "not both"),
        (("--to", "q4_0", "--data", "x"), "--measure"),
        (("--to", "q4_0", "--as", "smollm2-135m"), "another model"),
        (("--to", "q4_0", "--out", "/nonsuch/x.gguf"), "no such folder"),
    ],
)
def test_what_cannot_be_done_is_said(
    command_line: CommandLine, source: str, arguments: tuple[str, ...], said: str
) -> None:
    result = command_line("models", "quantize", source, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_source_itself_is_never_overwritten(command_line: CommandLine, source: str) -> None:
    before = Path(source).read_bytes()
    result = command_line("models", "quantize", source, "--to", "q4_0", "--out", source, "--force")
    assert result.exit_code == 2
    assert "the source itself" in result.stderr
    assert Path(source).read_bytes() == before


def test_a_file_that_is_not_sound_is_said(command_line: CommandLine, tmp_path: Path) -> None:
    broken = tmp_path / "m.gguf"
    broken.write_bytes(GGUFMaker().file()[:-9])
    result = command_line("models", "quantize", str(broken), "--to", "q4_0")
    assert result.exit_code == 1
    assert "not a sound GGUF file" in result.stderr


def test_a_measured_comparison_has_all_rows(
    command_line: CommandLine, source: str, tmp_path: Path
) -> None:
    out = str(tmp_path / "q.gguf")
    result = command_line("models", "quantize", source, "--to", "q8_0", "--out", out, "--measure")
    assert result.exit_code == 0
    for row in ("reading, tokens/s", "perplexity", "same next token"):
        assert row in result.stdout
