"""Documents on the screen: this file holds how they, and what is found in them, are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smallhold.cli.terminal import foreign, one_line
from smallhold.exceptions import ModelNotInstalledError
from smallhold.settings import load_settings
from smallhold.state import State
from smallhold.state.knowledge import (
    Hit,
    Indexed,
    Knowledge,
    KnowledgeSettings,
    KnowledgeStatus,
    KnownDocument,
    Outcome,
    Reading,
)
from smallhold.state.knowledge.embedding import sentence_model

NO_MODEL: Final = "none"
"""In the place of an alias: words alone."""
_DEFAULT_MODEL: Final = "all-minilm-l6-v2"
_TEXT_CHARS: Final = 400
_NAME_CHARS: Final = 80


def open_knowledge(state: State, *, embedder: str, is_online: bool = False) -> Knowledge:
    """Make the knowledge that `--embedder` and `--online` describe.

    Raises:
        ModelNotInstalledError: Another model than the default one was asked for, and is not there.
        ConfigError: The model embeds no sentences.
    """
    settings = KnowledgeSettings()
    if embedder == NO_MODEL:
        settings = replace(settings, reading=Reading.WORDS)
        return Knowledge(state, settings=settings, offline=not is_online)
    model = None
    if embedder != _DEFAULT_MODEL:
        model = sentence_model(load_settings(), alias=embedder)
        if model is None:
            raise ModelNotInstalledError(alias=embedder)
    return Knowledge(state, embedder=model, settings=settings, offline=not is_online)


def indexed_line(done: Indexed) -> Text:
    """Say what was done with a document, on one line."""
    detail = done.problem or f"{done.chunks} chunks, {done.embedded} embedded"
    style = "red" if done.outcome is Outcome.REFUSED else ""
    return foreign(f"{done.outcome.value:<9} {done.source}: {detail}", style=style)


def summary_line(done: Sequence[Indexed]) -> Text:
    """Count outcomes."""
    counts = Counter(one.outcome for one in done)
    words = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    return Text(", ".join(words) or "nothing to do")


def documents_table(documents: Sequence[KnownDocument]) -> Table:
    """Lay documents out."""
    table = Table("source", "title", "format", "chunks", "searched by")
    for known in documents:
        table.add_row(
            foreign(known.source),
            foreign(one_line(known.title, limit_chars=_NAME_CHARS)),
            known.format.value,
            str(known.chunks),
            "words and meaning" if known.is_embedded else "words",
        )
    return table


def print_hits(hits: Sequence[Hit], *, console: Console) -> None:
    """Show where passages stand and how they begin, the best first."""
    if not hits:
        console.print("Nothing was found.")
    for number, hit in enumerate(hits, 1):
        console.print(foreign(f"{number}. {hit.place}", style="bold"), soft_wrap=True)
        console.print(foreign(one_line(hit.text, limit_chars=_TEXT_CHARS)), soft_wrap=True)


def status_table(status: KnowledgeStatus) -> Table:
    """Lay the status out."""
    table = Table(show_header=False)
    table.add_row("documents", f"{status.documents:,}")
    table.add_row("chunks", f"{status.chunks:,}")
    table.add_row("searched by words alone", f"{status.unembedded:,}")
    table.add_row("damaged", f"{status.damaged:,}")
    table.add_row("embedding model", _model_words(status))
    table.add_row("encrypted", "yes" if status.is_encrypted else "no")
    return table


def _model_words(status: KnowledgeStatus) -> str:
    if not status.has_embedder:
        return "none is installed"
    if status.is_embedder_same is False:
        return "another one than that of the documents: run `smallhold knowledge reindex`"
    return "installed"
