"""Promises of `smallhold.cli.main`: this file holds tests of the program as a whole."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Program

COMMANDS = ["chat", "run", "pull", "demo", "doctor", "models", "engine", "eval"]
HEAVY = {
    "anyio", "customer_service", "httpx2", "jinja2", "llama_cpp", "llguidance", "msgspec", "numpy",
    "pydantic", "smallhold.agents", "smallhold.engine", "smallhold.models",
}  # fmt: skip
LOADED_BY_HELP = """
import json, sys
from smallhold.cli.main import main
sys.argv = ["smallhold", "--help"]
try:
    main()
except SystemExit:
    sys.stdout.write("\\n" + json.dumps(sorted(sys.modules)))
"""


def test_help_lists_every_command_and_the_exit_codes(command_line: CommandLine) -> None:
    result = command_line("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f" {command} " in result.stdout
    assert "0 done, 1 failed, 2 wrong usage or settings, 130 interrupted" in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["chat"], ["run"], ["pull"], ["demo"], ["doctor"], ["models", "list"], ["models", "show"],
        ["engine", "build"], ["eval", "bfcl"],
    ],
)  # fmt: skip
def test_every_command_has_help(command: list[str], command_line: CommandLine) -> None:
    result = command_line(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_help_loads_neither_agents_nor_engine_nor_models() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BY_HELP], capture_output=True, text=True, check=True
    )
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "smallhold.cli.main" in modules
    assert not HEAVY & modules


def test_the_version_is_the_package_s_own(command_line: CommandLine) -> None:
    assert command_line("--version").stdout == f"smallhold {version('smallhold')}\n"


def test_an_unknown_option_is_wrong_usage(command_line: CommandLine) -> None:
    assert command_line("run", "Hello", "--modle", "x").exit_code == 2


def test_an_empty_message_is_wrong_usage(command_line: CommandLine) -> None:
    result = command_line("run", " ")
    assert result.exit_code == 2
    assert "The message is empty" in result.stderr
    assert result.stdout == ""


def test_a_megabyte_is_wrong_usage_even_before_the_model_is_looked_for(
    command_line: CommandLine,
) -> None:
    result = command_line("run", "-", "--json", stdin=b"a" * 1_000_000)
    assert result.exit_code == 2
    assert "The message is too long" in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_no_model_fails(command_line: CommandLine) -> None:
    result = command_line("run", "Hello", "--model", __file__)
    assert result.exit_code == 1
    assert "is not a sound GGUF file" in result.stderr


@pytest.mark.parametrize("spec", ["tools", "no_such_module:tools", "json:no_such_object"])
def test_tools_that_cannot_be_loaded_are_wrong_usage(spec: str, command_line: CommandLine) -> None:
    result = command_line("chat", "--tools", spec)
    assert result.exit_code == 2
    assert spec in result.stderr


def test_a_setting_that_cannot_be_used_is_wrong_usage(program: Program) -> None:
    done = program("models", "list", environ={"SMALLHOLD_HOME": "relative"})
    assert done.returncode == 2
    assert "SMALLHOLD_HOME" in done.stderr


def test_an_error_shows_its_traceback_only_when_asked(program: Program) -> None:
    environ = {"SMALLHOLD_OFFLINE": "1"}
    plain = program("pull", "no-such-model", environ=environ)
    verbose = program("--verbose", "pull", "no-such-model", environ=environ)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in verbose.stderr
    assert (plain.returncode, verbose.returncode) == (2, 2)
    assert plain.stderr.strip() in verbose.stderr


def test_a_terminal_without_unicode_still_shows_tables(program: Program) -> None:
    done = program("models", "list", environ={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "smollm2-135m" in done.stdout
