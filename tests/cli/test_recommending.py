"""Promises of `smallhold.cli.recommending`: this file holds tests of the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.models.choice_cases import GB, machine

from smallhold.cli.recommending import imagined, wanted_model
from smallhold.exceptions import ConfigError
from smallhold.models import UseCase

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_machine_of_4_gb_gets_four_bits_for_routing(command_line: CommandLine) -> None:
    result = command_line(
        "models", "recommend", "--memory", "4GB", "--for", "routing", "--gpu-memory", "0", "--json"
    )
    assert result.exit_code == 0, result.stderr
    choices = json.loads(result.stdout)
    assert choices[0]["quantization"].startswith(("Q4", "Q5"))
    assert all(choice["memory"]["total_bytes"] <= 4 * GB for choice in choices)
    assert len({choice["alias"] for choice in choices}) == len(choices) > 1
    assert any(reason["kind"] == "use-case" for reason in choices[0]["reasons"])


def test_a_gpu_gets_a_larger_quantization(command_line: CommandLine) -> None:
    arguments = ("models", "recommend", "qwen2.5-coder-0.5b", "--memory", "16GB", "--json")
    on_gpu = json.loads(command_line(*arguments, "--gpu-memory", "8GB").stdout)[0]
    on_cpu = json.loads(command_line(*arguments, "--gpu-memory", "0").stdout)[0]
    assert (on_gpu["quantization"], on_cpu["quantization"]) == ("Q8_0", "Q4_K_M")
    assert (on_gpu["on_gpu"], on_cpu["on_gpu"]) == (True, False)


def test_people_read_what_to_run(command_line: CommandLine) -> None:
    result = command_line("models", "recommend", "fast", "routing", "--memory", "4GB")
    assert result.exit_code == 0, result.stderr
    assert "Run: smallhold pull " in result.stdout
    assert "the smallest" in result.stdout


def test_a_budget_that_is_too_small_is_a_mistake_of_usage(command_line: CommandLine) -> None:
    result = command_line("models", "recommend", "phi-4-mini", "--memory", "500MB")
    assert result.exit_code == 2
    assert "'phi-4-mini' needs at least" in result.stderr
    assert "500 MB may be used" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fast", "routin"), "Did you mean routing"),
        (("best", "--memory", "lots"), "--memory"),
        (("best", "--gpu-memory", "lots"), "--gpu-memory"),
        (("phi-4-mini", "--for", "code"), "names a model"),
        (("best", "--context", "0"), "context"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_of_usage(
    command_line: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    result = command_line("models", "recommend", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_options_come_before_words() -> None:
    need = wanted_model("fast code in 4 GB", aliases=(), use="routing", context_tokens=2000)
    assert need.use_case is UseCase.LIGHTWEIGHT_ROUTING
    assert need.context_tokens == 2000
    assert need.memory_bytes == 4 * GB


def test_a_use_beside_a_model_s_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="--for"):
        wanted_model("some", aliases=("some",), use="code", context_tokens=None)


def test_another_machine_can_be_imagined() -> None:
    other = imagined(machine(), memory_bytes=2 * GB, gpu_memory="6GB")
    assert other.total_memory_bytes == other.available_memory_bytes == 2 * GB
    assert other.gpu_memory_bytes == 6 * GB
    assert imagined(other, memory_bytes=None, gpu_memory="0").gpu_memory_bytes == 0
    assert imagined(other, memory_bytes=None, gpu_memory=None) == other
