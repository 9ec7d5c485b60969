"""Promises of `smallhold.evals.knowledge.searching`: this file holds tests of the measured ways."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from smallhold.evals.knowledge import Answer, Question, Style, ask_questions
from smallhold.evals.knowledge.searching import Mode, search_by
from smallhold.state.knowledge import Knowledge
from smallhold.state.state import State
from smallhold.testing import ScriptedRuntime

PAGES = {
    "valves.html": "<h1>Valves</h1><p>General words.</p><h2>2.1. Closing</h2>"
    "<p>Turn the wheel clockwise until it stops.</p>",
    "pumps.html": "<h1>Pumps</h1><h2>Closing</h2><p>Press the red button.</p>",
}
QUESTION = Question(
    text="which way do I turn the wheel clockwise",
    style=Style.QUESTION,
    answers=(Answer(page="valves.html", section="Closing", phrase="turn the wheel clockwise"),),
)


@pytest.fixture
async def knowledge(tmp_path: Path) -> AsyncGenerator[Knowledge]:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, body in PAGES.items():
        (folder / name).write_text(f"<html><body>{body}</body></html>")
    state = State(tmp_path / "index.sqlite")
    found = Knowledge(state, embedder=ScriptedRuntime([]))
    await found.add(folder)
    yield found
    await state.aclose()


@pytest.mark.parametrize("mode", Mode)
async def test_every_way_of_searching_finds_the_passage(mode: Mode, knowledge: Knowledge) -> None:
    (asked,) = await ask_questions([QUESTION], search=search_by(knowledge, mode=mode))
    assert (asked.ranks.found, asked.ranks.spot) == (1, 1)


async def test_a_passage_names_its_file_and_headings(knowledge: Knowledge) -> None:
    found = await search_by(knowledge, mode=Mode.BM25)("the red button")
    assert found[0].page == "pumps.html"
    assert found[0].headings == ("Pumps", "Closing")
    assert "Press the red button." in found[0].text
