"""Promises of `smallhold.cli.applications`: this file holds tests of finding applications."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smallhold.cli.applications import FOLDERS, make_importable
from smallhold.exceptions import ConfigError


def application(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text('"""An application."""\n')
    return folder / name


def test_the_shop_is_found_in_a_checkout() -> None:
    folder = make_importable("customer_service")
    assert (folder / "schema.sql").is_file()
    assert str(folder.parent) in sys.path


def test_a_wheel_is_searched_before_a_checkout() -> None:
    in_wheel, in_checkout = FOLDERS
    assert in_wheel.parent.name == "smallhold"
    assert in_checkout == Path(__file__).parents[2] / "examples"


def test_the_first_folder_that_holds_the_application_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    wanted = application(tmp_path / "b", "lamp_shop")
    application(tmp_path / "c", "lamp_shop")
    folders = [tmp_path / name for name in "abc"]
    assert make_importable("lamp_shop", folders=folders) == wanted
    assert make_importable("lamp_shop", folders=folders) == wanted
    assert sys.path.count(str(wanted.parent)) == 1
    assert sys.path[-1] == str(wanted.parent)


def test_an_application_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lamp_shop"):
        make_importable("lamp_shop", folders=[tmp_path])
