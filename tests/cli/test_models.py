"""Promises of `smallhold.cli.models`: this file holds tests of how its commands are reached."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, get_args

import pytest

from smallhold.cli.models import CategoryWord, UseCaseWord, models_app
from smallhold.models import Category, UseCase

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

COMMANDS = sorted(str(command.name) for command in models_app.registered_commands)


def test_there_is_a_command_for_all_that_can_be_done_with_models() -> None:
    assert {"list", "show", "recommend", "export", "import", "quantize", "gc"} <= {*COMMANDS}
    assert {"keygen", "sign", "verify-catalog"} <= {*COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(command_line: CommandLine, name: str) -> None:
    result = command_line("models", name, "--help")
    assert result.exit_code == 0
    assert f"models {name}" in result.stdout


def test_the_words_of_the_filters_are_those_of_the_catalog() -> None:
    assert get_args(UseCaseWord) == tuple(UseCase)
    assert get_args(CategoryWord) == tuple(Category)


def test_asking_for_help_loads_neither_the_models_nor_cryptography() -> None:
    code = (
        "import sys; import smallhold.cli.models; "
        "print([m for m in ('smallhold.models', 'cryptography', 'numpy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
