"""Promises of `smallhold.models.elsewhere.foreign_file`: this file holds tests of its edge."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallhold.models.elsewhere.foreign_file import file_inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "deep").mkdir(parents=True)
    (tmp_path / "root" / "deep" / "file").write_text("weights")
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "root"


def test_a_file_inside_is_found_through_links_that_stay_inside(root: Path) -> None:
    (root / "link").symlink_to("deep/file")
    assert file_inside(root / "link", root=root) == (root / "deep" / "file").resolve()


def test_a_root_that_is_a_link_itself_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").symlink_to(root)
    found = file_inside(tmp_path / "cache" / "deep" / "file", root=tmp_path / "cache")
    assert found == (root / "deep" / "file").resolve()


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "loop", "missing", "."])
def test_links_that_lead_out_or_nowhere_are_not_followed(root: Path, target: str) -> None:
    (root / "loop").symlink_to(target)
    assert file_inside(root / "loop", root=root) is None


def test_paths_that_climb_out_are_refused(root: Path) -> None:
    assert file_inside(root / ".." / "secret", root=root) is None
    assert file_inside(root / "a\0b", root=root) is None


def test_what_is_no_plain_file_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert file_inside(root / "pipe", root=root) is None
    assert file_inside(root / "deep", root=root) is None


def test_a_name_that_is_no_text_is_refused(root: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(root) + b"/\xff"))
    odd.write_text("weights")
    assert file_inside(odd, root=root) is None
