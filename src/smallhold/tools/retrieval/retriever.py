"""The tools that a message may need, out of many: this file holds the `ToolRetriever`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import anyio
from anyio import to_thread

from smallhold.exceptions import ConfigError, ToolDefinitionError
from smallhold.runtimes.protocol import Embedder
from smallhold.tools.retrieval.clauses import clauses
from smallhold.tools.retrieval.fusion import best, clause_scores, message_scores
from smallhold.tools.retrieval.keyword_index import KeywordIndex
from smallhold.tools.retrieval.retrievable import RetrievableTool, fields_of, meanings_of
from smallhold.tools.retrieval.tool_vectors import (
    PlainTable,
    Vector,
    centroid,
    similarity_table,
    vector_of,
    vectors_of,
)

_FIELDS = 5
"""As many as `fields_of` gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """A tool that a message may need."""

    name: str
    score: float
    """0 to 1, comparable within one message only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    text: str
    vector: Vector | None


class ToolRetriever:
    """Finds tools by the words and the meaning of their descriptions and examples.

    Tools are read when the first message comes, and those that are added later with the next one.
    The same tools and the same message give the same result, in every process.
    """

    def __init__(
        self, tools: Iterable[RetrievableTool] = (), *, embedder: Embedder | None = None
    ) -> None:
        """Note the tools; nothing is computed yet.

        Args:
            tools: In the order in which they are handed back.
            embedder: Compares meanings, best a `SentenceEmbedder`; without one, words alone count.

        Raises:
            ToolDefinitionError: Two tools share a name.
        """
        self._embedder = embedder
        self._names: dict[str, None] = {}
        self._waiting: list[RetrievableTool] = []
        self._keywords = KeywordIndex(fields=_FIELDS)
        self._vectors = PlainTable() if embedder is None else similarity_table()
        self._turn: anyio.Lock | None = None
        for tool in tools:
            self.add(tool)

    def __len__(self) -> int:
        """Count the tools."""
        return len(self._names)

    def add(self, tool: RetrievableTool) -> None:
        """Add a tool after the others.

        Raises:
            ToolDefinitionError: The name is taken.
        """
        name = tool.schema.name
        if name in self._names:
            raise ToolDefinitionError(
                tool=name,
                parameter=None,
                problem="another tool of the retriever has the same name",
                remedy="Rename one of them.",
            )
        self._names[name] = None
        self._waiting.append(tool)

    async def retrieve(self, text: str, *, limit: int) -> tuple[Retrieved, ...]:
        """Find the tools that a message may need, in the tools' own order.

        The same choice is always in the same order, so a prompt that shows it can be cached.

        Args:
            text: What the user says; several wishes get tools each.
            limit: The most tools; as many come back, unless there are fewer.

        Raises:
            ConfigError: The limit is below 1.
            ContextOverflowError: The embedder cannot take a text.
        """
        found = await self.rank(text, limit=limit)
        places = {name: place for place, name in enumerate(self._names)}
        return tuple(sorted(found, key=lambda tool: places[tool.name]))

    async def rank(self, text: str, *, limit: int) -> tuple[Retrieved, ...]:
        """Find the same tools as `retrieve`, the best first.

        Raises as `retrieve`.
        """
        if limit < 1:
            raise ConfigError(field="limit", value=limit, remedy="give 1 or more")
        wishes = [
            _Clause(text=clause, vector=await self._vector(clause)) for clause in clauses(text)
        ]
        if self._turn is None:
            self._turn = anyio.Lock()
        # One at a time: the index may not grow while it is read in another thread.
        async with self._turn:
            await self._read_waiting()
            return await to_thread.run_sync(partial(self._ranked, wishes, limit=limit))

    async def _vector(self, text: str) -> Vector | None:
        if self._embedder is None:
            return None
        return await vector_of(text, embedder=self._embedder)

    async def _read_waiting(self) -> None:
        tools = tuple(self._waiting)
        if not tools:
            return
        vectors: tuple[Vector, ...] = ()
        if self._embedder is not None:
            texts = [meanings_of(tool) for tool in tools]
            flat = await vectors_of(
                [text for group in texts for text in group], embedder=self._embedder
            )
            pool = iter(flat)
            vectors = tuple(centroid(tuple(islice(pool, len(group)))) for group in texts)
        # All at once and last, so that a cancelled reading leaves the tools waiting.
        await to_thread.run_sync(self._fold, tools, vectors)

    def _fold(self, tools: Sequence[RetrievableTool], vectors: Sequence[Vector]) -> None:
        for tool in tools:
            self._keywords.add(fields_of(tool))
        self._vectors.extend(vectors)
        del self._waiting[: len(tools)]

    def _ranked(self, wishes: Sequence[_Clause], *, limit: int) -> tuple[Retrieved, ...]:
        names = tuple(islice(self._names, len(self._keywords)))
        scores = message_scores([
            clause_scores(
                self._keywords.coverage(wish.text),
                None if wish.vector is None else self._vectors.similarities(wish.vector),
            )
            for wish in wishes
        ])
        return tuple(
            Retrieved(name=names[tool], score=scores[tool]) for tool in best(scores, limit=limit)
        )
