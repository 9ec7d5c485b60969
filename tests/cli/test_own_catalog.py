"""Promises of `smallhold.cli.own_catalog`: this file holds tests of the option `--catalog`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.cli.own_catalog import use_catalog
from smallhold.settings import CATALOG_VARIABLE, load_settings

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text("version: 2\naliases: {kiosk: smollm2-135m}\n")
    return path


def test_a_file_that_is_named_holds_for_the_command(command_line: CommandLine, site: Path) -> None:
    assert command_line("--catalog", str(site), "models", "show", "kiosk").exit_code == 0
    assert command_line("models", "show", "kiosk").exit_code == 2


def test_a_file_that_is_not_there_is_an_error_that_names_it(command_line: CommandLine) -> None:
    result = command_line("--catalog", "/nowhere/site.yaml", "models", "list")
    assert result.exit_code == 1
    assert "/nowhere/site.yaml" in result.stderr


def test_a_malformed_file_is_an_error_with_line_and_field(
    command_line: CommandLine, site: Path
) -> None:
    site.write_text("version: 2\nmodels:\n  phi-4-mini:\n    licence: 7\n")
    result = command_line("--catalog", str(site), "models", "list")
    assert result.exit_code == 1
    assert "line 4, entry 'phi-4-mini', field licence" in result.stderr


def test_a_relative_path_is_meant_from_the_current_folder() -> None:
    with use_catalog(Path("site.yaml")):
        assert load_settings().catalog == Path.cwd() / "site.yaml"


def test_what_the_environment_said_before_holds_again_afterwards(site: Path) -> None:
    before = os.environ.get(CATALOG_VARIABLE)
    with use_catalog(Path("/elsewhere.yaml")), use_catalog(site):
        assert load_settings().catalog == site
    assert os.environ.get(CATALOG_VARIABLE) == before
