from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from tests.state.knowledge.conftest import BagEmbedder

from smallhold.exceptions import DocumentError
from smallhold.state import State
from smallhold.state.knowledge import ChunkSizes, DocumentFormat, Outcome
from smallhold.state.knowledge.intake import Arrival, Intake
from smallhold.state.knowledge.meaning import MeaningSource
from smallhold.state.knowledge.parsing_process import ParsingProcess
from smallhold.state.knowledge.rows import KnowledgeRows


@pytest.fixture
async def parser() -> AsyncGenerator[ParsingProcess]:
    async with ParsingProcess() as parser:
        yield parser


def intake(state: State, embedder: BagEmbedder | None) -> Intake:
    ids = iter("abcdefgh")
    return Intake(
        rows=KnowledgeRows(rows=state.rows, collection="documents"),
        meaning=MeaningSource(embedder, is_wanted=embedder is not None),
        sizes=ChunkSizes(),
        clock=lambda: 7.0,
        new_id=lambda: next(ids),
    )


def arrival(text: str, *, source: str = "/a.md") -> Arrival:
    return Arrival(source=source, format=DocumentFormat.MARKDOWN, data=text.encode())


async def test_a_document_is_added_once_and_changed_afterwards(
    state: State, parser: ParsingProcess, embedder: BagEmbedder
) -> None:
    taking = intake(state, embedder)
    text = "# A\n\nOne.\n\n# B\n\nTwo.\n"
    first = await taking.take(arrival(text), parser=parser)
    assert (first.outcome, first.chunks, first.embedded) == (Outcome.ADDED, 2, 2)
    same = await taking.take(arrival(text), parser=parser)
    assert (same.outcome, same.embedded) == (Outcome.UNCHANGED, 0)
    changed = await taking.take(arrival(text.replace("Two", "Three")), parser=parser)
    assert (changed.outcome, changed.chunks, changed.embedded) == (Outcome.CHANGED, 2, 1)
    async with taking.rows.rows.reading() as connection:
        (document,) = await taking.rows.documents(connection)
        assert (document.known.id, document.known.indexed_s) == ("a", 7.0)
        assert await taking.rows.generation(connection) == 2


async def test_a_document_that_cannot_be_read_any_more_stays_as_it_was(
    state: State, parser: ParsingProcess, embedder: BagEmbedder
) -> None:
    taking = intake(state, embedder)
    await taking.take(arrival("Text."), parser=parser)
    with pytest.raises(DocumentError):
        await taking.take(arrival("\n"), parser=parser)
    async with taking.rows.rows.reading() as connection:
        assert len(await taking.rows.documents(connection)) == 1


async def test_a_document_without_vectors_is_taken_again_when_there_is_an_embedder(
    state: State, parser: ParsingProcess, embedder: BagEmbedder
) -> None:
    await intake(state, None).take(arrival("Text."), parser=parser)
    done = await intake(state, embedder).take(arrival("Text."), parser=parser)
    assert (done.outcome, done.embedded) == (Outcome.CHANGED, 1)
