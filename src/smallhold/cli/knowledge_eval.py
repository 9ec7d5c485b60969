"""Measuring knowledge search: this file holds the command `eval knowledge`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from anyio import to_thread
from rich.console import Console
from rich.table import Table

from smallhold.cli.row_progress import row_progress
from smallhold.cli.terminal import printable
from smallhold.cli.tool_retrieval import NO_EMBEDDER
from smallhold.evals.knowledge import (
    AskedQuestion,
    Question,
    QuestionSet,
    Search,
    SearchReport,
    ask_questions,
    build_report,
    unproved_answers,
)
from smallhold.evals.knowledge.report import Figures, Share
from smallhold.evals.knowledge.searching import Mode, search_by
from smallhold.exceptions import ConfigError, ModelNotInstalledError
from smallhold.messages import JsonObject, JsonValue
from smallhold.runtimes.protocol import Embedder
from smallhold.settings import Settings
from smallhold.state.knowledge import Indexed, Knowledge, KnowledgeSettings, Outcome, Reading
from smallhold.state.knowledge.embedding import sentence_model
from smallhold.state.state import State

UNPROVED_MAX_SHARE: Final = 0.25
"""With more of the answers missing, a folder does not hold the documents that are asked about."""
_COLLECTION: Final = "evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeReport:
    """What the command prints."""

    package: str
    embedder: str | None
    """Alias of the sentence model; `None`: words only."""
    documents: int
    chunks: int
    refused: int
    """Pages that could not be read; most have headings only."""
    unproved: int
    """Accepted answers that this version of the documents does not hold."""
    modes: Mapping[Mode, SearchReport]

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that docs/evaluation.md promises."""
        modes: dict[str, JsonValue] = {
            mode.value: report.to_dict() for mode, report in self.modes.items()
        }
        return {
            "collection": self.package,
            "embedder": self.embedder,
            "documents": self.documents,
            "chunks": self.chunks,
            "refused": self.refused,
            "unproved": self.unproved,
            "modes": modes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeTrial:
    """What is to be measured, and on what."""

    data: QuestionSet
    questions: tuple[Question, ...]
    """Of `data`."""
    collection: Path
    index: Path | None
    """The database to keep the index in; `None` for one that is thrown away."""
    embedder: Embedder | None
    alias: str

    async def hold(self, *, console: Console) -> KnowledgeReport:
        """Take the documents in, and ask the questions in each way of searching.

        Raises:
            ConfigError: The folder holds other documents.
            StateError: The index cannot be kept.
        """
        unproved = count_unproved(self.data, collection=self.collection)
        reading = Reading.WORDS if self.embedder is None else Reading.BOTH
        settings = KnowledgeSettings(collection=_COLLECTION, reading=reading)
        async with opened_state(self.index) as state:
            knowledge = Knowledge(state, embedder=self.embedder, settings=settings)
            taken = await index_documents(knowledge, collection=self.collection, console=console)
            modes = (Mode.BM25,) if self.embedder is None else tuple(Mode)
            reports = {
                mode: build_report(
                    await measure_search(
                        self.questions,
                        name=mode.value,
                        search=search_by(knowledge, mode=mode),
                        console=console,
                    )
                )
                for mode in modes
            }
            status = await knowledge.status()
        return KnowledgeReport(
            package=self.data.package,
            embedder=None if self.embedder is None else self.alias,
            documents=status.documents,
            chunks=status.chunks,
            refused=sum(one.outcome is Outcome.REFUSED for one in taken),
            unproved=unproved,
            modes=reports,
        )


def count_unproved(data: QuestionSet, *, collection: Path) -> int:
    """Count the accepted answers that a folder does not hold.

    Raises:
        ConfigError: They are so many that it holds other documents.
    """
    answers = sum(len(question.answers) for question in data.questions)
    missing = sum(1 for _ in unproved_answers(data.questions, collection=collection))
    if missing > UNPROVED_MAX_SHARE * answers:
        remedy = (
            f"{missing} of {answers} answers are not in it; name the pages of {data.package} "
            f"{data.version}, whose folder scripts/fetch-documents prints"
        )
        raise ConfigError(field="collection", value=str(collection), remedy=remedy)
    return missing


@asynccontextmanager
async def opened_state(index: Path | None) -> AsyncGenerator[State]:
    """Open the database of the index, and close it afterwards."""
    with TemporaryDirectory(prefix="smallhold-eval-") as folder:
        state = State(Path(folder) / "index.sqlite" if index is None else index)
        try:
            yield state
        finally:
            await state.aclose()


def opened_embedder(alias: str, *, settings: Settings) -> Embedder | None:
    """Open the sentence model that `--embedder` names; `None` for words alone.

    Raises:
        UnknownModelError: The alias is not in the catalog.
        ConfigError: The model embeds no sentences.
        ModelNotInstalledError: It has not been pulled.
        InvalidWeightsError: Its file is not sound.
    """
    if alias == NO_EMBEDDER:
        return None
    found = sentence_model(settings, alias=alias)
    if found is None:
        raise ModelNotInstalledError(alias=alias)
    return found


async def index_documents(
    knowledge: Knowledge, *, collection: Path, console: Console
) -> tuple[Indexed, ...]:
    """Make the documents of a folder searchable, with a progress bar.

    Raises as `smallhold.state.knowledge.knowledge.Knowledge.sync`.
    """
    total = await to_thread.run_sync(lambda: sum(1 for _ in collection.glob("*.html")))
    with row_progress("documents", total=total, figure="0", unit="chunks", console=console) as show:
        chunks = 0

        def count(indexed: Indexed) -> None:
            nonlocal chunks
            chunks += indexed.chunks
            show(f"{chunks:,}")

        return await knowledge.sync(collection, report=count)


async def measure_search(
    questions: Sequence[Question], *, name: str, search: Search, console: Console
) -> list[AskedQuestion]:
    """Ask the questions of one way of searching, with a progress bar.

    Raises as `smallhold.evals.knowledge.ask_questions`, and as the search.
    """
    with row_progress(
        name, total=len(questions), figure="-", unit="recall@5", console=console
    ) as show:
        found: list[bool] = []

        def count(asked: AskedQuestion) -> None:
            found.append(asked.is_found(5))
            show(f"{sum(found) / len(found):.1%}")

        return await ask_questions(questions, search=search, on_question=count)


def report_table(report: KnowledgeReport) -> Table:
    """Lay a report out for people, a column for each way of searching."""
    title = f"{report.chunks:,} chunks of {report.documents:,} documents of {report.package}"
    table = Table("", *(mode.value for mode in report.modes), title=printable(title))
    parts = list(report.modes.values())
    table.add_row("questions", *(str(part.all.n) for part in parts))
    for depth in (1, 5, 10):
        cells = (_with_interval(part.all.found[depth]) for part in parts)
        table.add_row(f"recall@{depth}", *cells)
    table.add_row(
        "key phrase in the first 5", *(_with_interval(part.all.spot[5]) for part in parts)
    )
    table.add_row("MRR", *(f"{part.all.mrr:.3f}" for part in parts))
    for name in _part_names(parts):
        table.add_row(f"recall@5, {name}", *(_recall(_parts(part).get(name)) for part in parts))
    table.add_row("time of a search, median", *(f"{part.median_ms:.0f} ms" for part in parts))
    return table


def _part_names(reports: Sequence[SearchReport]) -> list[str]:
    return list(dict.fromkeys(name for report in reports for name in _parts(report)))


def _parts(report: SearchReport) -> dict[str, Figures]:
    halves = {half.value.replace("_", " "): figures for half, figures in report.halves.items()}
    return halves | {style.value: figures for style, figures in report.styles.items()}


def _recall(figures: Figures | None) -> str:
    return "-" if figures is None else f"{figures.found[5].share:.1%} of {figures.n}"


def _with_interval(share: Share) -> str:
    return f"{share.share:.1%} ({share.ci95.low:.1%} to {share.ci95.high:.1%})"
