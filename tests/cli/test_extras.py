"""Promises of `smallhold.cli.extras`: this file holds tests of what each extra installs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from smallhold.cli.extras import ENGINE_BUILD, EXTRAS, extra_of, install_command, missing_modules


def test_every_extra_of_the_package_is_known() -> None:
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))
    assert set(EXTRAS) == set(project["project"]["optional-dependencies"])


@pytest.mark.parametrize(("extra", "modules"), EXTRAS.items())
def test_a_module_leads_to_its_extra(extra: str, modules: tuple[str, ...]) -> None:
    assert {extra_of(f"{module}.part") for module in modules} == {extra}


def test_a_foreign_module_leads_to_no_extra() -> None:
    assert extra_of("some_module_of_the_user") is None


def test_the_native_part_is_compiled_and_not_installed() -> None:
    assert install_command("native") == ENGINE_BUILD
    assert install_command("evals") == "pip install 'smallhold[evals]'"


def test_modules_that_are_here_are_not_missing() -> None:
    assert missing_modules("evals") == ()
