"""The picture of the demo: this file holds promises about it and about the way it is made."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "images" / "demo.svg"
HEADERS = [f"[{number}/3] task" for number in (1, 2, 3)]
FIGURES = "     The demo in figures"


def load_recorder() -> ModuleType:
    place = ROOT / "docs" / "images" / "record_demo.py"
    spec = importlib.util.spec_from_file_location("record_demo", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECORDER = load_recorder()


def shown(recording: str, *, conversations: int) -> list[str]:
    lines = RECORDER.chosen_lines(RECORDER.recorded_lines(recording), shown=conversations)
    return [line.plain for line in lines]


def picture_text() -> str:
    # Our own file, written by Rich.
    root = ElementTree.fromstring(PICTURE.read_text("utf-8"))  # noqa: S314 - a file of this project
    return "\n".join(" ".join(node.itertext()) for node in root.iter() if node.text)


def test_the_picture_fetches_nothing() -> None:
    text = PICTURE.read_text("utf-8")
    assert not re.findall(r"url\((?!#)|@import|<image|xlink:href", text)


def test_the_figures_that_the_readme_names_are_those_of_the_picture() -> None:
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    named = re.search(
        r"(\d+ of \d+) tasks completed, (\d+ of \d+) calls valid, (\d+) forward", readme
    )
    assert named is not None
    picture = picture_text().replace("\xa0", " ")
    assert all(figure in picture for figure in named.groups())


def test_the_first_conversations_are_kept_uncut_and_the_others_counted() -> None:
    recording = "\n".join(["shop", *HEADERS, FIGURES, "3 of 3"])
    assert shown(recording, conversations=1) == [
        "shop", HEADERS[0], "… 2 more conversations …", "", FIGURES, "3 of 3",
    ]  # fmt: skip


def test_a_run_with_no_more_conversations_than_shown_is_kept_whole() -> None:
    recording = "\n".join(["shop", *HEADERS, FIGURES, "3 of 3"])
    assert shown(recording, conversations=3) == recording.split("\n")


def test_the_frames_of_a_spinner_are_left_out() -> None:
    recording = "\r\x1b[2K⠋ Loading the model\nshop\n" + FIGURES
    assert shown(recording, conversations=1) == ["shop", FIGURES]


def test_a_run_that_did_not_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no figures"):
        shown("\n".join(HEADERS), conversations=1)
