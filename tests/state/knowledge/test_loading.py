from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, update
from tests.state.knowledge.conftest import write

from smallhold.state import State
from smallhold.state.knowledge import Knowledge
from smallhold.state.knowledge.loading import LoadedIndex
from smallhold.state.knowledge.rows import KnowledgeRows
from smallhold.state.knowledge.terms import asked_terms
from smallhold.state.tables.knowledge import DOCUMENT_INDEXES, DOCUMENTS


def loaded(state: State) -> LoadedIndex:
    return LoadedIndex(KnowledgeRows(rows=state.rows, collection="documents"))


async def count(index: LoadedIndex, word: str) -> int:
    return len(await index.search(asked_terms(word), vector=None, limit=9))


async def test_an_index_follows_what_others_change(
    state: State, knowledge: Knowledge, shop: Path
) -> None:
    index = loaded(state)
    assert (await index.refresh()).generation == 0
    await knowledge.add(shop)
    await index.refresh()
    assert await count(index, "receipt") == 1
    write(shop / "shop.md", "# Shop\n\nNo returns.\n")
    await knowledge.add(shop)
    await index.refresh()
    assert await count(index, "receipt") == 0
    await knowledge.remove(shop)
    await index.refresh()
    assert await count(index, "shop") == 0


async def test_nothing_is_read_again_while_nothing_changes(
    state: State, knowledge: Knowledge, shop: Path
) -> None:
    await knowledge.add(shop)
    index = loaded(state)
    assert await index.refresh() is await index.refresh()


async def test_a_damaged_index_is_left_out_and_the_rest_serves(
    state: State, knowledge: Knowledge, shop: Path
) -> None:
    await knowledge.add(shop)
    async with state.rows.writing() as connection:
        rows = await connection.execute(select(DOCUMENTS.c.id, DOCUMENTS.c.chunks))
        broken = next(row.id for row in rows if row.chunks == 1)
        await connection.execute(
            update(DOCUMENT_INDEXES)
            .where(DOCUMENT_INDEXES.c.document == broken)
            .values(payload=b"\0\0\0\0\0 no index")
        )
    index = loaded(state)
    await index.refresh()
    assert index.damaged == {broken}
    assert await count(index, "receipt") == 1
    assert await count(index, "espresso") == 0
