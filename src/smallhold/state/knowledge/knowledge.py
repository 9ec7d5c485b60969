"""What an agent can look up: this file holds `Knowledge`, a body of documents that is searched."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from anyio import to_thread

from smallhold.exceptions import (
    DocumentError,
    DocumentFetchError,
    EmbeddingModelChangedError,
    UnknownDocumentError,
)
from smallhold.runtimes.protocol import Embedder
from smallhold.settings import load_settings
from smallhold.state.knowledge.erasing import DocumentErasure, clean
from smallhold.state.knowledge.files import path_of, read_file, readable_files, source_of
from smallhold.state.knowledge.formats import required_format
from smallhold.state.knowledge.hit import Hit
from smallhold.state.knowledge.intake import Arrival, Intake
from smallhold.state.knowledge.known_document import (
    Indexed,
    KnowledgeStatus,
    KnownDocument,
    Outcome,
)
from smallhold.state.knowledge.loading import LoadedIndex
from smallhold.state.knowledge.meaning import MeaningSource
from smallhold.state.knowledge.parsing_process import ParsingProcess
from smallhold.state.knowledge.recalling import KnowledgePassage, fitting_passages
from smallhold.state.knowledge.reindexing import Reindexing
from smallhold.state.knowledge.reranking import Reranker
from smallhold.state.knowledge.rows import Collection, KnowledgeRows
from smallhold.state.knowledge.searching import Searcher
from smallhold.state.knowledge.settings import KnowledgeSettings, Reading
from smallhold.state.knowledge.watching import follow
from smallhold.state.knowledge.web_address import is_web_address, web_address
from smallhold.state.recall import TokenCounter
from smallhold.state.state import State

DEFAULT_LIMIT: Final = 5
DEFAULT_SETTINGS: Final = KnowledgeSettings()


def take_no_notice(indexed: Indexed) -> None:
    """Ignore progress."""
    del indexed


def random_id() -> str:
    """Make an id for a document."""
    return uuid.uuid4().hex


class Knowledge:
    """A tenant's documents, found by their words and their meaning.

    Cheap to make; the database, the index and the embedding model are opened when they are first
    needed. All processes that use the same database see each other's changes with the next search.
    Conforms to `smallhold.state.recall.Recaller`.
    """

    def __init__(
        self,
        state: State,
        *,
        embedder: Embedder | None = None,
        offline: bool = True,
        settings: KnowledgeSettings = DEFAULT_SETTINGS,
        reranker: Reranker | None = None,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        """Open nothing yet.

        Args:
            state: Where the documents are kept, and whose they are.
            embedder: Compares meanings. `None` for the sentence model of the store; where that is
                not installed either, words alone are compared.
            offline: Whether web pages are refused.
            settings: How documents are taken in and searched.
            reranker: Puts what was found in order once more.
            new_id: Makes ids of documents.
        """
        self._state = state
        self._offline = offline
        self._settings = settings
        self._rows = KnowledgeRows(rows=state.rows, collection=settings.collection)
        is_wanted = settings.reading is not Reading.WORDS
        self._meaning = MeaningSource(embedder, is_wanted=is_wanted)
        self._index = LoadedIndex(self._rows)
        self._intake = Intake(
            rows=self._rows,
            meaning=self._meaning,
            sizes=settings.sizes,
            clock=state.clock,
            new_id=new_id,
        )
        self._reindexing = Reindexing(rows=self._rows, meaning=self._meaning, intake=self._intake)
        self._searcher = Searcher(
            rows=self._rows,
            index=self._index,
            meaning=self._meaning,
            settings=settings,
            reranker=reranker,
        )

    @property
    def settings(self) -> KnowledgeSettings:
        """How documents are taken in and searched."""
        return self._settings

    async def add(
        self, source: str | Path, *, report: Callable[[Indexed], None] = take_no_notice
    ) -> tuple[Indexed, ...]:
        """Take in a file, all files of a folder that can be read, or a web page.

        What has not changed since is left as it is; of what has, only new chunks are embedded.

        Args:
            source: A path, or an address that begins with `http://` or `https://`.
            report: Called after each document.

        Returns:
            What was done with each document. Files of a folder that cannot be read are told of
            with `Outcome.REFUSED`.

        Raises:
            DocumentError: The file or page cannot be read.
            EmbeddingModelChangedError: The documents' vectors are of another model.
            StateError: It could not be stored.
        """
        async with ParsingProcess(self._settings.limits) as parser:
            if isinstance(source, str) and is_web_address(source):
                return (_reported(await self._take_page(source, parser), report),)
            path = path_of(source)
            if not await to_thread.run_sync(path.is_dir):
                return (_reported(await self._take_file(path, parser), report),)
            files = await to_thread.run_sync(lambda: list(readable_files(path)))
            return tuple([
                _reported(await self._take_or_refuse(file, parser), report) for file in files
            ])

    async def sync(
        self, folder: str | Path, *, report: Callable[[Indexed], None] = take_no_notice
    ) -> tuple[Indexed, ...]:
        """Make the documents those of a folder: `add` it, and remove what is no longer there.

        Raises:
            DocumentError: It is no folder; nothing is removed then.
            EmbeddingModelChangedError: As for `add`.
            StateError: As for `add`.
        """
        path = path_of(folder)
        if not await to_thread.run_sync(path.is_dir):
            # A disk that is not mounted is no reason to forget what was on it.
            raise DocumentError(
                source=source_of(path), problem="it is no folder", remedy="Name a folder."
            )
        done = await self.add(path, report=report)
        present = {one.source for one in done}
        gone = [known.source for known in await self._within(path) if known.source not in present]
        removed = await self._removed(gone)
        return (*done, *(_reported(one, report) for one in removed))

    async def remove(self, source: str | Path) -> tuple[Indexed, ...]:
        """Delete a document, or all that came from a folder, with all that was made of them.

        Raises:
            UnknownDocumentError: There is no such document.
            StateError: It could not be deleted.
        """
        if isinstance(source, str) and is_web_address(source):
            sources = [web_address(source).url]
        else:
            sources = [known.source for known in await self._within(path_of(source))]
        removed = await self._removed(sources)
        if not removed:
            raise UnknownDocumentError(source=str(source))
        return removed

    async def erase(self, source: str | Path) -> DocumentErasure:
        """Remove documents, and write the database anew so that no page of it holds their bytes.

        Raises as `remove`.
        """
        removed = await self.remove(source)
        await self._index.refresh()
        return DocumentErasure(
            sources=tuple(one.source for one in removed),
            chunks=sum(one.chunks for one in removed),
            remains=await clean(self._state.database),
        )

    async def documents(self) -> tuple[KnownDocument, ...]:
        """List the documents, by source.

        Raises:
            StateError: They cannot be read.
        """
        async with self._rows.rows.reading() as connection:
            return tuple(stored.known for stored in await self._rows.documents(connection))

    async def search(
        self, text: str, *, limit: int = DEFAULT_LIMIT, reading: Reading | None = None
    ) -> tuple[Hit, ...]:
        """Find the chunks that answer a question best.

        Args:
            text: The question, or some words.
            limit: The most hits.
            reading: What is compared, by default what the settings say.

        Returns:
            The best first.

        Raises:
            ConfigError: The limit is below 1, or meaning is to be compared without an embedder.
            EmbeddingModelChangedError: The documents' vectors are of another model.
            StateError: What is stored cannot be read.
        """
        return await self._searcher.search(
            text, limit=limit, reading=reading or self._settings.reading
        )

    async def recall(
        self, text: str, *, session: str | None, limit_tokens: int, count_tokens: TokenCounter
    ) -> tuple[KnowledgePassage, ...]:
        """Find what an agent is reminded of before it answers. Raises as `search`."""
        del session
        if limit_tokens < 1:
            return ()
        hits = await self.search(text, limit=self._settings.recalled)
        return await fitting_passages(
            [hit for hit in hits if hit.score >= self._settings.recall_least_score],
            limit_tokens=limit_tokens,
            count_tokens=count_tokens,
        )

    async def reindex(
        self, *, report: Callable[[Indexed], None] = take_no_notice
    ) -> tuple[Indexed, ...]:
        """Index the stored text of all documents again, with the embedding model at hand.

        For another embedding model, or one that was installed since. Files are not read. Until it
        has ended, documents that wait for it are found by their words; a run that was interrupted
        goes on where it ended.

        Raises:
            StateError: What is stored cannot be read.
        """
        return await self._reindexing.run(report=report)

    async def status(self) -> KnowledgeStatus:
        """Count what there is, and say whether the embedding model is the one of the vectors.

        Raises:
            StateError: What is stored cannot be read.
        """
        await self._index.refresh()
        async with self._rows.rows.reading() as connection:
            collection = await self._rows.state(connection)
            versions = await self._rows.versions(connection)
        key = None if collection.model is None else collection.model.key
        current = await self._meaning.current()
        return KnowledgeStatus(
            documents=len(versions),
            chunks=sum(version.chunks for version in versions.values()),
            unembedded=sum(
                version.model_key is None or version.model_key != key
                for version in versions.values()
            ),
            damaged=len(self._index.damaged),
            generation=collection.generation,
            has_embedder=current is not None,
            is_embedder_same=await self._is_same(collection),
            is_encrypted=self._state.database.keys is not None,
        )

    @asynccontextmanager
    async def watch(self, folder: str | Path) -> AsyncGenerator[AsyncIterator[Indexed]]:
        """Follow a folder: what is there, and then every change, until the block is left.

        Gives an iterator of what was done, which never ends by itself. Files that cannot be read
        are told of with `Outcome.REFUSED`.

        Raises:
            DocumentError: It is no folder.
            EmbeddingModelChangedError: As for `add`.
            StateError: As for `add`.
        """
        async with aclosing(follow(self, path_of(folder))) as changes:
            yield changes

    async def take_path(self, path: Path) -> tuple[Indexed, ...]:
        """Take over what became of a path: a file or folder that came, changed or went.

        Raises:
            EmbeddingModelChangedError: As for `add`.
            StateError: As for `add`.
        """
        if await to_thread.run_sync(path.is_dir):
            return await self.sync(path)
        if await to_thread.run_sync(path.exists):
            async with ParsingProcess(self._settings.limits) as parser:
                return (await self._take_or_refuse(path, parser),)
        return await self._removed([known.source for known in await self._within(path)])

    async def _take_file(self, path: Path, parser: ParsingProcess) -> Indexed:
        file_format = required_format(path.name)
        file = await to_thread.run_sync(lambda: read_file(path, limits=self._settings.limits))
        arrival = Arrival(source=file.source, format=file_format, data=file.data)
        return await self._intake.take(arrival, parser=parser)

    async def _take_or_refuse(self, path: Path, parser: ParsingProcess) -> Indexed:
        try:
            return await self._take_file(path, parser)
        except DocumentError as error:
            return Indexed(source=source_of(path), outcome=Outcome.REFUSED, problem=str(error))

    async def _take_page(self, url: str, parser: ParsingProcess) -> Indexed:
        if self._offline or load_settings().offline:
            raise DocumentFetchError(
                source=web_address(url).url,
                problem="it is on the network, and this knowledge is offline",
                remedy="Open it with `offline=False`, or add it with `--online`.",
            )
        # Not on top: the HTTP stack is an extra, and nobody else should pay for loading it.
        from smallhold.state.knowledge.web_page import fetch_page  # noqa: PLC0415 - see above

        page = await fetch_page(
            url,
            limits=self._settings.limits,
            allows_private=self._settings.allows_private_addresses,
        )
        arrival = Arrival(source=page.source, format=page.format, data=page.data)
        return await self._intake.take(arrival, parser=parser)

    async def _within(self, path: Path) -> list[KnownDocument]:
        source = source_of(path)
        inside = f"{source.rstrip('/')}/"
        return [
            known
            for known in await self.documents()
            if known.source == source or known.source.startswith(inside)
        ]

    async def _removed(self, sources: Sequence[str]) -> tuple[Indexed, ...]:
        keys = [(source, await self._rows.rows.blind(source)) for source in sources]
        removed: list[Indexed] = []
        if not keys:
            return ()
        async with self._rows.rows.writing() as connection:
            collection = await self._rows.state(connection)
            for source, key in keys:
                stored = await self._rows.by_source(connection, key)
                if stored is not None:
                    await self._rows.drop(connection, stored.known.id)
                    chunks = stored.known.chunks
                    removed.append(Indexed(source=source, outcome=Outcome.REMOVED, chunks=chunks))
            if removed:
                following = replace(collection, generation=collection.generation + 1)
                await self._rows.set_state(connection, following)
        return tuple(removed)

    async def _is_same(self, collection: Collection) -> bool | None:
        if collection.model is None:
            return None
        try:
            return None if await self._meaning.matching(collection.model) is None else True
        except EmbeddingModelChangedError:
            return False


def _reported(indexed: Indexed, report: Callable[[Indexed], None]) -> Indexed:
    report(indexed)
    return indexed
