"""What each part of tool retrieval is worth: this file holds the ablation on two data sets.

    python benchmarks/tool_retrieval_ablation.py --data FOLDER --cache FOLDER [--limit N]

Each line leaves a part out or replaces it, on two halves of the rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import hypot
from pathlib import Path
from typing import Final

import anyio

from smallhold.evals.tool_retrieval import SETS, RetrievalRow, RetrievalSet, read_set
from smallhold.evals.tool_retrieval.report import Recall, mean_recall
from smallhold.runtimes.sentence_models import sentence_embedder
from smallhold.settings import Settings, load_settings
from smallhold.tools.retrieval.clauses import clauses
from smallhold.tools.retrieval.fusion import best, clause_scores, message_scores
from smallhold.tools.retrieval.keyword_index import KeywordIndex
from smallhold.tools.retrieval.retrievable import fields_of, meanings_of
from smallhold.tools.retrieval.tool_vectors import (
    SimilarityTable,
    Vector,
    centroid,
    similarity_table,
)

Split = Callable[[str], Sequence[str]]
DEPTHS: Final = (5, 10)
PARAMETER_NAMES, PARAMETER_DESCRIPTIONS = 2, 3
"""Places in `fields_of`."""
ALL_FIELDS: Final = frozenset(range(5))


def whole(text: str) -> Sequence[str]:
    """Take the message as one clause."""
    return (text,)


def both(text: str) -> Sequence[str]:
    """Take the sentences, and the message as one more clause."""
    found = clauses(text)
    return (*found, text) if len(found) > 1 else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to retrieve."""

    title: str
    split: Split = clauses
    fields: frozenset[int] = ALL_FIELDS
    counts_words: bool = True
    compares_meanings: bool = True
    examples: int | None = None
    """How many of each tool's examples are known; `None`: all."""
    is_nearest_example: bool = False
    """Whether a tool's nearest text counts, instead of the mean of all."""
    sets: tuple[str, ...] = tuple(SETS)
    """Those in which it differs from all of it."""


FULL: Final = Variant(title="all of it")
VARIANTS: Final = (
    FULL,
    replace(FULL, title="message not split", split=whole),
    replace(FULL, title="message as one more clause", split=both),
    replace(FULL, title="words only", compares_meanings=False),
    replace(FULL, title="words only, message not split", compares_meanings=False, split=whole),
    replace(FULL, title="meaning only", counts_words=False),
    replace(FULL, title="meaning only, message not split", counts_words=False, split=whole),
    replace(
        FULL,
        title="no parameters",
        fields=ALL_FIELDS - {PARAMETER_NAMES, PARAMETER_DESCRIPTIONS},
        sets=("seal_tools",),
    ),
    replace(
        FULL,
        title="nearest example, not the mean",
        is_nearest_example=True,
        sets=("metatool",),
    ),
    *(
        replace(FULL, title=f"{count} examples", examples=count, sets=("metatool",))
        for count in (0, 1, 3)
    ),
)


class Index:
    """The tools of a set as one variant sees them."""

    def __init__(self, data: RetrievalSet, variant: Variant, vectors: dict[str, Vector]) -> None:
        self.variant = variant
        self.vectors = vectors
        self.words = KeywordIndex(fields=len(ALL_FIELDS))
        self.owners: list[int] = []
        self.table: SimilarityTable = similarity_table()
        for number, tool in enumerate(data.tools):
            known = replace(tool, examples=tool.examples[: variant.examples])
            texts = enumerate(fields_of(known))
            self.words.add([text if field in variant.fields else "" for field, text in texts])
            found = [vectors[text] for text in meanings_of(known)]
            points = found if variant.is_nearest_example else [centroid(found)]
            self.table.extend(points)
            self.owners += [number] * len(points)

    def rank(self, text: str) -> list[int]:
        """Give the numbers of the best tools."""
        scores = [self._clause(clause) for clause in self.variant.split(text)]
        return best(message_scores(scores), limit=max(DEPTHS))

    def _clause(self, clause: str) -> list[float]:
        words = self.words.coverage(clause)
        if not self.variant.compares_meanings:
            return words
        nearest = [-1.0] * len(words)
        for owner, value in zip(
            self.owners, self.table.similarities(self.vectors[clause]), strict=True
        ):
            nearest[owner] = max(nearest[owner], value)
        if not self.variant.counts_words:
            return [max(0.0, value) for value in nearest]
        return clause_scores(words, nearest)


def recalls(data: RetrievalSet, index: Index, rows: Sequence[RetrievalRow]) -> list[Recall]:
    """Measure one variant on some rows, at each depth."""
    found: list[list[float]] = [[] for _ in DEPTHS]
    for row in rows:
        names = [data.tools[tool].schema.name for tool in index.rank(row.text)]
        for depth, values in zip(DEPTHS, found, strict=True):
            values.append(len(row.tools.intersection(names[:depth])) / len(row.tools))
    return [mean_recall(values) for values in found]


async def embedded(texts: Sequence[str], *, settings: Settings) -> dict[str, Vector]:
    """Embed texts with the default sentence model."""
    embedder = sentence_embedder(settings=settings)
    return dict(zip(texts, await embedder.embed_texts(texts), strict=True))


def texts_of(data: RetrievalSet, rows: Sequence[RetrievalRow]) -> list[str]:
    """Collect every text that any variant compares."""
    texts = {text for tool in data.tools for text in meanings_of(tool)}
    return sorted(texts | {text for row in rows for text in (row.text, *clauses(row.text))})


def main() -> None:
    """Print a table for each set: recall at 5 and 10 on either half, and on all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=2000, help="rows of each set")
    parser.add_argument("--cache", type=Path, required=True, help="folder of embeddings")
    options = parser.parse_args()
    settings = replace(load_settings(), cache=options.cache)
    for name in SETS:
        data = read_set(options.data, name=name)
        rows = data.rows[: options.limit]
        vectors = anyio.run(partial(embedded, texts_of(data, rows), settings=settings))
        sys.stdout.write(f"\n{name}: {len(data.tools)} tools, {len(rows)} messages\n\n")
        sys.stdout.write("| | @5, halves | @10, halves | @5 | @10 |\n|---|---|---|---|---|\n")
        for variant in VARIANTS:
            if name in variant.sets:
                line = table_line(data, Index(data, variant, vectors), rows)
                sys.stdout.write(f"| {variant.title} | {line} |\n")
                sys.stdout.flush()


def table_line(data: RetrievalSet, index: Index, rows: Sequence[RetrievalRow]) -> str:
    """Measure a variant; even rows are the first half, odd ones the second."""
    first, second = recalls(data, index, rows[::2]), recalls(data, index, rows[1::2])
    cells = [f"{one.mean:.1%} / {other.mean:.1%}" for one, other in zip(first, second, strict=True)]
    for one, other in zip(first, second, strict=True):
        # Halves are of equal size up to one row, so their means average, and errors add in squares.
        mean = (one.mean + other.mean) / 2
        margin = hypot(one.ci95.high - one.mean, other.ci95.high - other.mean) / 2
        cells.append(f"{mean:.1%} ± {100 * margin:.1f}")
    return " | ".join(cells)


if __name__ == "__main__":
    main()
