"""What is remembered, for people: this file holds the tables of `smallhold memory`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from smallhold.cli.terminal import foreign, one_line
from smallhold.runtimes.sentence_models import installed_sentence_embedder
from smallhold.settings import load_settings
from smallhold.state import State
from smallhold.state.memory import ErasureReport, Fact, Memory, Recalled
from smallhold.state.memory.recalled import source_of

_VALUE_CHARS: Final = 80


def hybrid_memory(state: State) -> Memory:
    """Give a state's memory, which compares meanings where the sentence model is installed.

    Raises:
        InvalidWeightsError: The model is there and not sound.
    """
    embedder = installed_sentence_embedder(settings=load_settings())
    return state.memory if embedder is None else state.memory.using(embedder)


def subjects_table(names: Sequence[str]) -> Table:
    """Lay out whom anything is remembered of."""
    table = Table("subject", show_edge=False)
    for name in names:
        table.add_row(foreign(one_line(name, limit_chars=_VALUE_CHARS)))
    return table


def facts_table(facts: Sequence[Fact]) -> Table:
    """Lay out facts; those that something took the place of are marked."""
    table = Table("fact", "attribute", "value", "sure", "from", show_edge=False)
    for fact in facts:
        style = "" if fact.is_current else "dim strike"
        table.add_row(
            foreign(fact.id),
            foreign(one_line(fact.attribute, limit_chars=_VALUE_CHARS)),
            foreign(one_line(fact.value, limit_chars=_VALUE_CHARS), style=style),
            f"{fact.confidence_ratio:.0%}",
            foreign(one_line(source_of(fact), limit_chars=_VALUE_CHARS)),
        )
    return table


def recalled_table(recalled: Recalled) -> Table:
    """Lay out what came to mind, the best first."""
    table = Table("score", "subject", "fact", show_edge=False)
    for one in recalled.facts:
        table.add_row(
            f"{one.score:.2f}",
            foreign(one_line(one.fact.subject, limit_chars=_VALUE_CHARS)),
            foreign(one_line(one.fact.line, limit_chars=_VALUE_CHARS)),
        )
    return table


def erasure_table(report: ErasureReport) -> Table:
    """Lay out what was removed where."""
    table = Table("place", "which", "outcome", "", show_edge=False)
    for place in report.places:
        table.add_row(
            place.place.value, foreign(place.name), place.outcome.value, foreign(place.detail)
        )
    table.caption = f"{report.facts} facts with {report.vectors} vectors removed"
    return table
