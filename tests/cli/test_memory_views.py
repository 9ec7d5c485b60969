from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.conftest import Screen
from tests.state.memory.facts import a_fact

from smallhold.cli.memory_views import (
    erasure_table,
    facts_table,
    hybrid_memory,
    recalled_table,
    subjects_table,
)
from smallhold.state import State
from smallhold.state.memory import (
    ErasureReport,
    Outcome,
    Place,
    PlaceReport,
    Recalled,
    RecalledFact,
)


def test_foreign_text_stays_on_one_line_and_is_no_markup(screen: Screen) -> None:
    screen.console.print(facts_table([a_fact("[red]tea[/red]\nand more")]))
    assert "[red]tea[/red] and more" in screen.text


def test_a_fact_that_was_replaced_looks_so(screen: Screen) -> None:
    table = facts_table([a_fact(), replace(a_fact("milk"), superseded_s=1.0)])
    screen.console.print(table)
    assert "tea" in screen.text
    assert "milk" in screen.text


def test_what_came_to_mind_is_shown_with_its_score(screen: Screen) -> None:
    one = RecalledFact(fact=a_fact(), score=0.125, text="drink: tea")
    screen.console.print(
        recalled_table(Recalled(facts=(one,), text=one.text, tokens=0, left_out=0))
    )
    assert "0.12" in screen.text
    assert "drink: tea" in screen.text


def test_an_erasure_names_each_place(screen: Screen) -> None:
    place = PlaceReport(place=Place.BACKUP, name="old.db", outcome=Outcome.COVERED, detail="away")
    report = ErasureReport(facts=3, vectors=1, erased_s=1.0, places=(place,))
    screen.console.print(erasure_table(report))
    assert "old.db" in screen.text
    assert "covered" in screen.text
    assert "3 facts with 1 vectors removed" in screen.text


def test_subjects_are_listed(screen: Screen) -> None:
    screen.console.print(subjects_table(["ann", "bob"]))
    assert "bob" in screen.text


def test_words_alone_are_compared_where_no_model_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALLHOLD_HOME", str(tmp_path))
    state = State(tmp_path / "state.db")
    assert hybrid_memory(state) is state.memory
