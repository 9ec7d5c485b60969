from __future__ import annotations

from collections import defaultdict
from itertools import count, pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.state.conftest import KEYS
from tests.state.memory.conftest import count_words
from tests.state.set_clock import SetClock

from smallhold.exceptions import ConfigError, DamagedRecordError
from smallhold.state import Database, State
from smallhold.state.memory import Author, Fact, Memory, Provenance
from smallhold.state.memory.lifetime import DAY_S, PLAUSIBLE_STEP_S
from smallhold.state.tables.memory import FACTS
from smallhold.testing import ScriptedRuntime


def values(facts: tuple[Fact, ...]) -> list[str]:
    return [fact.value for fact in facts]


async def test_a_fact_is_remembered_with_where_it_is_from(memory: Memory, clock: SetClock) -> None:
    source = Provenance(
        author=Author.AGENT, name="barista", session="kiosk-7", run="r", entry=3, quote="Tea!"
    )
    fact = await memory.remember(
        "ann", "favourite drink", "tea", confidence_ratio=0.9, provenance=source
    )
    assert await memory.facts("ann") == (fact,)
    assert (fact.provenance, fact.confidence_ratio, fact.created_s) == (source, 0.9, clock.now_s)


async def test_facts_outlive_the_process_that_wrote_them(database: Database) -> None:
    await State(database).memory.remember("ann", "drink", "tea")
    await database.aclose()
    assert values(await State(database).memory.facts("ann")) == ["tea"]


async def test_another_value_replaces_the_old_one_and_keeps_it_as_history(
    memory: Memory, clock: SetClock
) -> None:
    old = await memory.remember("ann", "Home Town", "Porto")
    clock.now_s += 5
    new = await memory.remember("ann", "home_town", "Faro")
    assert values(await memory.facts("ann")) == ["Faro"]
    first, second = await memory.history("ann", "home town")
    assert (first.id, first.superseded_by, first.superseded_s) == (old.id, new.id, clock.now_s)
    assert second == new


async def test_a_repeated_value_strengthens_the_fact_and_is_not_stored_twice(
    memory: Memory,
) -> None:
    await memory.remember("ann", "drink", "tea", confidence_ratio=0.5)
    again = await memory.remember("ann", "drink", "TEA", confidence_ratio=0.5)
    assert again.confidence_ratio == pytest.approx(0.75)
    assert await memory.history("ann") == (again,)


async def test_an_attribute_can_have_several_values(memory: Memory) -> None:
    await memory.remember_also("ann", "allergy", "nuts")
    await memory.remember_also("ann", "allergy", "milk")
    await memory.remember_also("ann", "allergy", "Nuts")
    assert values(await memory.facts("ann")) == ["nuts", "milk"]


async def test_subjects_are_listed_and_their_facts_kept_apart(memory: Memory) -> None:
    await memory.remember("bob", "drink", "coffee")
    await memory.remember("ann", "drink", "tea")
    assert await memory.subjects() == ("ann", "bob")
    assert values(await memory.facts("bob")) == ["coffee"]
    assert await memory.facts("nobody") == ()


async def test_a_forgotten_fact_is_gone_and_what_it_replaced_stays_history(memory: Memory) -> None:
    await memory.remember("ann", "drink", "tea")
    middle = await memory.remember("ann", "drink", "coffee")
    last = await memory.remember("ann", "drink", "milk")
    assert await memory.forget(middle.id)
    assert not await memory.forget(middle.id)
    assert await memory.forget(last.id)
    assert await memory.facts("ann") == ()
    (first,) = await memory.history("ann")
    assert (first.value, first.superseded_by, first.is_current) == ("tea", None, False)


async def test_a_subject_without_facts_is_not_listed(memory: Memory) -> None:
    fact = await memory.remember("ann", "drink", "tea")
    await memory.forget(fact.id)
    assert await memory.subjects() == ()


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
async def test_a_confidence_that_is_no_share_is_refused(memory: Memory, ratio: float) -> None:
    with pytest.raises(ConfigError, match="confidence_ratio"):
        await memory.remember("ann", "drink", "tea", confidence_ratio=ratio)


@pytest.mark.parametrize("expires_s", [float("nan"), float("inf")])
async def test_a_time_that_never_comes_is_refused(memory: Memory, expires_s: float) -> None:
    with pytest.raises(ConfigError, match="expires_s"):
        await memory.remember("ann", "drink", "tea", expires_s=expires_s)


async def test_an_expired_fact_is_not_recalled_and_is_removed_by_pruning(
    memory: Memory, clock: SetClock
) -> None:
    await memory.remember("ann", "table", "7", expires_s=clock.now_s + 60)
    await memory.remember("ann", "drink", "tea")
    clock.now_s += 60
    assert values(await memory.facts("ann")) == ["tea"]
    assert (await memory.recall("which table?", subject="ann")).text == "drink: tea"
    assert len(await memory.history("ann")) == 2
    assert (await memory.prune()).facts == 1
    assert values(await memory.history("ann")) == ["tea"]


async def test_pruning_removes_a_subject_whose_last_fact_is_over(
    memory: Memory, clock: SetClock
) -> None:
    await memory.remember("ann", "table", "7", expires_s=clock.now_s + 1)
    await memory.remember("ann", "table", "8", expires_s=clock.now_s + 1)
    clock.now_s += 2
    assert (await memory.prune()).facts == 2
    assert await memory.subjects() == ()


async def test_a_clock_that_falls_back_revives_nothing_that_had_expired(
    memory: Memory, clock: SetClock
) -> None:
    await memory.remember("ann", "table", "7", expires_s=clock.now_s + DAY_S)
    clock.now_s += 2 * DAY_S
    await memory.remember("bob", "drink", "tea")
    clock.now_s = 0.0
    assert await memory.facts("ann") == ()
    assert (await memory.recall("table", subject="ann")).facts == ()
    new = await memory.remember("ann", "table", "7")
    assert [fact.id for fact in await memory.facts("ann")] == [new.id]


async def test_a_clock_that_leaps_ahead_hides_facts_and_loses_none(
    memory: Memory, clock: SetClock
) -> None:
    right_s = clock.now_s
    await memory.remember("ann", "table", "7", expires_s=right_s + DAY_S)
    clock.now_s += 70 * PLAUSIBLE_STEP_S
    assert await memory.facts("ann") == ()
    await memory.remember("ann", "drink", "tea")
    pruned = await memory.prune()
    assert (pruned.facts, pruned.is_clock_doubtful) == (0, True)
    clock.now_s = right_s + 1
    assert values(await memory.facts("ann")) == ["7", "tea"]


async def test_a_clock_that_is_vouched_for_may_prune(memory: Memory, clock: SetClock) -> None:
    await memory.remember("ann", "table", "7", expires_s=clock.now_s + DAY_S)
    clock.now_s += 2 * PLAUSIBLE_STEP_S
    assert (await memory.prune(trusts_clock=True)).facts == 1
    assert not (await memory.prune()).is_clock_doubtful


async def test_history_is_in_the_order_of_statements_whatever_the_clock_says(
    memory: Memory, clock: SetClock
) -> None:
    for value, leap_s in (("a", -5.0), ("b", 1e9), ("c", -2e9), ("d", 0.0)):
        await memory.remember("ann", "drink", value)
        clock.now_s += leap_s
    assert values(await memory.history("ann")) == ["a", "b", "c", "d"]


async def test_recall_gives_the_fact_that_a_message_is_about_first(memory: Memory) -> None:
    await memory.remember("ann", "favourite drink", "green tea")
    await memory.remember_also("ann", "allergy", "nuts")
    await memory.remember("ann", "home town", "Porto")
    found = await memory.recall("Am I allergic to anything?", subject="ann")
    assert found.text.splitlines()[0] == "allergy: nuts"
    assert len(found.facts) == 3
    assert found == await memory.recall("Am I allergic to anything?", subject="ann")


async def test_recall_without_a_subject_finds_only_what_fits(memory: Memory) -> None:
    await memory.remember("ann", "drink", "green tea")
    await memory.remember("bob", "drink", "coffee")
    assert (await memory.recall("who likes coffee?")).text == "bob: drink: coffee"
    assert (await memory.recall("zebra")).facts == ()


async def test_a_budget_needs_a_counter(memory: Memory) -> None:
    with pytest.raises(ConfigError, match="count_tokens"):
        await memory.recall("tea", subject="ann", budget_tokens=10)


async def test_meaning_is_compared_where_there_is_an_embedder(memory: Memory) -> None:
    await memory.remember("ann", "size", "43")
    await memory.remember("ann", "drink", "tea")
    found = await memory.using(ScriptedRuntime()).recall("drink: tea", subject="ann")
    assert found.text.splitlines()[0] == "drink: tea"
    assert found.facts[0].score > 0.9


async def test_a_damaged_fact_does_not_keep_the_others_from_serving(
    database: Database, memory: Memory
) -> None:
    bad = await memory.remember("ann", "drink", "tea")
    await memory.remember("ann", "size", "43")
    async with database.writing() as connection:
        await connection.execute(
            update(FACTS).where(FACTS.c.id == bad.id).values(payload=b"\x00nonsense")
        )
    assert (await memory.recall("drink", subject="ann")).text == "size: 43"
    assert values(await memory.facts("ann")) == ["43"]
    with pytest.raises(DamagedRecordError, match=bad.id):
        await memory.history("ann")


async def test_an_export_holds_history_and_provenance(memory: Memory) -> None:
    await memory.remember("ann", "drink", "tea", provenance=Provenance(name="Ben", quote="tea!"))
    await memory.remember("ann", "drink", "coffee")
    document = await memory.export("ann")
    facts = document["facts"]
    assert isinstance(facts, list)
    assert [(fact["value"], fact["status"]) for fact in facts if isinstance(fact, dict)] == [
        ("tea", "superseded"),
        ("coffee", "current"),
    ]
    assert '"quote": "tea!"'.replace('"', "'") in str(document)


async def test_two_processes_worth_of_writers_lose_nothing(database: Database) -> None:
    memories = [State(database).memory for _ in range(4)]

    async def write(memory: Memory, number: int) -> None:
        for step in range(5):
            await memory.remember("ann", "counter", f"{number}-{step}")

    async with anyio.create_task_group() as tasks:
        for number, memory in enumerate(memories):
            tasks.start_soon(write, memory, number)
    history = await memories[0].history("ann", "counter")
    assert [fact.position for fact in history] == list(range(20))
    assert sum(fact.is_current for fact in history) == 1
    assert all(fact.superseded_by == following.id for fact, following in pairwise(history))


SUBJECTS = st.sampled_from(["ann", "bob"])
TENANTS = st.sampled_from(["north", "south"])
ATTRIBUTES = st.sampled_from(["drink", "town"])
STATED = st.sampled_from(["tea", "coffee", "Porto", "Faro"])
STATEMENTS = st.lists(st.tuples(TENANTS, SUBJECTS, ATTRIBUTES, STATED), max_size=14)
PROPERTY = settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
_RUNS = count()


@PROPERTY
@given(statements=STATEMENTS)
def test_history_is_complete_ordered_and_of_one_tenant_alone(
    tmp_path: Path, statements: list[tuple[str, str, str, str]]
) -> None:
    told: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for tenant, subject, attribute, value in statements:
        said = told[tenant, subject, attribute]
        if not said or said[-1] != value:
            said.append(value)

    async def check() -> None:
        database = Database(tmp_path / f"{next(_RUNS)}.db", keys=KEYS)
        north = State(database, tenant="north")
        states = {"north": north, "south": north.for_tenant("south")}
        for tenant, subject, attribute, value in statements:
            await states[tenant].memory.remember(subject, attribute, value)
        for (tenant, subject, attribute), said in told.items():
            history = await states[tenant].memory.history(subject, attribute)
            assert values(history) == said
            assert [fact.is_current for fact in history] == [False] * (len(said) - 1) + [True]
        for tenant, state in states.items():
            found = await state.memory.recall("tea coffee Porto Faro", limit=100)
            mine = {key[1:]: said[-1] for key, said in told.items() if key[0] == tenant}
            assert {
                (one.fact.subject, one.fact.attribute): one.fact.value for one in found.facts
            } == mine
        await database.aclose()

    anyio.run(check)


@PROPERTY
@given(
    facts=st.lists(st.text(alphabet="abc xyz", min_size=1, max_size=30), max_size=10),
    budget_tokens=st.integers(min_value=-1, max_value=30),
)
def test_recall_never_exceeds_its_budget(
    tmp_path: Path, facts: list[str], budget_tokens: int
) -> None:
    async def check() -> None:
        state = State(tmp_path / f"{next(_RUNS)}.db")
        for value in filter(str.strip, facts):
            await state.memory.remember_also("ann", "words", value)
        found = await state.memory.recall(
            "abc", subject="ann", budget_tokens=budget_tokens, count_tokens=count_words
        )
        assert await count_words(found.text) == found.tokens <= max(0, budget_tokens)
        assert len(found.facts) + found.left_out == len(await state.memory.facts("ann"))
        await state.aclose()

    anyio.run(check)


@PROPERTY
@given(statements=STATEMENTS)
def test_what_was_erased_exports_nothing_and_the_others_stay(
    tmp_path: Path, statements: list[tuple[str, str, str, str]]
) -> None:
    async def check() -> None:
        state = State(tmp_path / f"{next(_RUNS)}.db")
        for _, subject, attribute, value in statements:
            await state.memory.remember(subject, attribute, value)
        bobs = await state.memory.history("bob")
        report = await state.memory.erase("ann")
        assert report.is_complete
        assert (await state.memory.export("ann"))["facts"] == []
        assert "ann" not in await state.memory.subjects()
        assert await state.memory.history("bob") == bobs
        await state.aclose()

    anyio.run(check)
