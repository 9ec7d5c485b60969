from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from tests.state.set_clock import SetClock

from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import Usage
from smallhold.state import Database, State
from smallhold.state.memory import Memory
from smallhold.state.tables.memory import FACTS
from smallhold.testing import ScriptedRuntime


class CountingEmbedder:
    """Another model than `ScriptedRuntime`, which counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, request: EmbedRequest) -> Embedding:
        self.asked.append(request.prompt.messages[-1].content)
        vector = (await ScriptedRuntime().embed(request)).vector
        return Embedding(vector=(*vector[1:], vector[0]), usage=Usage())


async def stored_models(database: Database) -> set[str | None]:
    async with database.reading(whole=True) as connection:
        return set((await connection.execute(select(FACTS.c.embedding_model))).scalars())


async def test_facts_are_embedded_once_and_messages_each_time(memory: Memory) -> None:
    embedder = CountingEmbedder()
    await memory.remember("ann", "drink", "tea")
    for _ in range(2):
        # Another object each time: nothing but the database remembers the vectors.
        await memory.using(embedder, fingerprint="m").recall("a message", subject="ann")
    assert embedder.asked == ["drink: tea", "a message", "a message"]


async def test_another_model_is_noticed_and_facts_are_embedded_again(
    memory: Memory, database: Database
) -> None:
    await memory.remember("ann", "drink", "tea")
    await memory.using(ScriptedRuntime()).recall("tea", subject="ann")
    (first,) = await stored_models(database)
    embedder = CountingEmbedder()
    changed = memory.using(embedder)
    await changed.recall("tea", subject="ann")
    (second,) = await stored_models(database)
    assert first != second
    assert "drink: tea" in embedder.asked


async def test_only_the_ends_of_a_long_message_are_embedded(memory: Memory) -> None:
    embedder = CountingEmbedder()
    await memory.remember("ann", "drink", "tea")
    text = f"begin {'x ' * 5000} end"
    await memory.using(embedder, fingerprint="m").recall(text, subject="ann")
    assert len(embedder.asked[-1]) < 2100
    assert embedder.asked[-1].startswith("begin")
    assert embedder.asked[-1].endswith("end")


async def test_an_index_in_memory_never_serves_what_another_process_changed(
    database: Database, clock: SetClock
) -> None:
    here, there = (Memory(State(database).rows, clock=clock) for _ in range(2))
    await here.remember("ann", "drink", "tea")
    assert (await here.recall("drink", subject="ann")).text == "drink: tea"
    await there.remember("ann", "drink", "coffee")
    assert (await here.recall("drink", subject="ann")).text == "drink: coffee"
    await there.erase("ann")
    assert (await here.recall("drink", subject="ann")).text == ""
    await there.remember("ann", "drink", "milk")
    assert (await here.recall("drink", subject="ann")).text == "drink: milk"


async def test_facts_are_recalled_although_vectors_cannot_be_stored(
    tmp_path: Path, clock: SetClock
) -> None:
    file = tmp_path / "state.db"
    state = State(file)
    await state.memory.remember("ann", "drink", "tea")
    await state.aclose()
    first, second = Database(file), Database(f"sqlite:///{file}?timeout=0.2")
    memory = Memory(second.tenant(), clock=clock).using(ScriptedRuntime())
    await second.open()
    async with first.tenant().writing():
        found = await memory.recall("tea", subject="ann")
    assert found.text == "drink: tea"
    await first.aclose()
    await second.aclose()
