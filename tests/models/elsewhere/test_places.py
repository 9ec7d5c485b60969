"""Promises of `smallhold.models.elsewhere.places`: this file holds tests of where is looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.models.elsewhere.places import OLLAMA_SERVICE_FOLDER, foreign_places

OWN = Path("/people/ada")


def test_without_variables_the_programs_own_folders_are_looked_through() -> None:
    places = foreign_places({}, user_folder=OWN)
    assert places.hugging_face == (OWN / ".cache" / "huggingface" / "hub",)
    assert places.ollama == (OWN / ".ollama" / "models", OLLAMA_SERVICE_FOLDER)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/b"}, "/old"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HF_HUB_CACHE": "/a/../x/"}, "/x"),
    ],
)
def test_variables_of_the_hub_library_count_in_its_own_order(
    environ: dict[str, str], folder: str
) -> None:
    assert foreign_places(environ, user_folder=OWN).hugging_face == (Path(folder),)


def test_ollamas_variable_comes_before_its_usual_folders() -> None:
    places = foreign_places({"OLLAMA_MODELS": "/disk/ollama"}, user_folder=OWN)
    assert places.ollama[0] == Path("/disk/ollama")
    assert OLLAMA_SERVICE_FOLDER in places.ollama


@pytest.mark.parametrize("value", ["relative", "./here", "/a\0b", ""])
def test_folders_that_cannot_be_meant_are_left_out(value: str) -> None:
    environ = {"HF_HUB_CACHE": value, "OLLAMA_MODELS": value}
    places = foreign_places(environ, user_folder=OWN)
    assert all(path.is_absolute() and "\0" not in str(path) for path in places.hugging_face)
    assert places.ollama == (OWN / ".ollama" / "models", OLLAMA_SERVICE_FOLDER)


def test_the_users_own_folder_is_known_without_being_told() -> None:
    assert foreign_places({}).ollama[-1] == OLLAMA_SERVICE_FOLDER
