"""Promises of `smallhold.cli.exit_codes`: this file holds tests of what is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.cli.exit_codes import ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_in_the_documentation(code: ExitCode) -> None:
    assert f"| {code.value} |" in PAGE.read_text("utf-8")


def test_an_interrupted_command_ends_as_shells_expect() -> None:
    assert ExitCode.INTERRUPTED == 128 + 2
