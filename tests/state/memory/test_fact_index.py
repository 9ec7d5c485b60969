from __future__ import annotations

from tests.state.memory.facts import a_fact

from smallhold.state.memory.fact_index import FactIndex, FactIndexes, drop_everywhere, index_of
from smallhold.state.memory.rows import EmbeddedFact
from smallhold.state.memory.vectors import StoredVector


def an_index(*values: str, expires_s: float | None = None, model: str | None = None) -> FactIndex:
    found = tuple(
        EmbeddedFact(
            fact=a_fact(value, position=number, expires_s=expires_s),
            vector=None if model is None else StoredVector(model=model, values=(1.0, 0.0)),
        )
        for number, value in enumerate(values)
    )
    return index_of(found, model=model)


def test_an_expired_fact_is_not_ranked() -> None:
    index = an_index("tea", expires_s=10.0)
    assert len(index.rank("tea", vector=None, now_s=9.0)) == 1
    assert index.rank("tea", vector=None, now_s=10.0) == []


def test_meaning_finds_what_no_word_does() -> None:
    index = an_index("tea", model="m")
    ((_, score),) = index.rank("beverage", vector=(1.0, 0.0), now_s=0.0)
    assert score == 0.5


def test_an_index_is_served_for_its_own_revision_and_model_only() -> None:
    indexes = FactIndexes()
    index = an_index("tea")
    indexes.keep("key", index, revision="r1")
    assert indexes.find("key", revision="r1", model=None) is index
    assert indexes.find("key", revision="r2", model=None) is None
    assert len(indexes) == 0
    indexes.keep("key", index, revision="r1")
    assert indexes.find("key", revision="r1", model="m") is None


def test_the_index_not_asked_for_the_longest_goes_first() -> None:
    indexes = FactIndexes(kept=2)
    for key in ("a", "b"):
        indexes.keep(key, an_index(key), revision="r")
    indexes.find("a", revision="r", model=None)
    indexes.keep("c", an_index("c"), revision="r")
    assert indexes.find("b", revision="r", model=None) is None
    assert indexes.find("a", revision="r", model=None) is not None


def test_a_subject_is_dropped_from_all_indexes_of_the_process() -> None:
    first, second = FactIndexes(), FactIndexes()
    for indexes in (first, second):
        indexes.keep("a key of its own", an_index("tea"), revision="r")
    assert drop_everywhere("a key of its own") == 2
    assert len(first) == len(second) == 0
    assert drop_everywhere("a key of its own") == 0
