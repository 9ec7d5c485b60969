"""What the search of 100,000 chunks costs: this file holds its benchmark, with recall beside it.

    python benchmarks/knowledge_search.py [--chunks N] [--documents FOLDER] [--state FILE]
    python benchmarks/knowledge_search.py --recall --documents "$(scripts/fetch-documents)"

The first fills a database with chunks made of a manual's own sentences, put together anew, or of
words by Zipf's law where there is no manual; their vectors are random directions, since the time of
a comparison does not depend on what is compared. Questions are embedded by the real model. Another
process then opens the database and searches; its figures come as one line of JSON.

The second takes the manual in as a user would, and asks the questions of `eval knowledge`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import anyio
import numpy as np
import psutil

from smallhold.evals.knowledge import Passage, ask_questions, build_report, read_questions
from smallhold.messages import JsonObject
from smallhold.security import KeyRing
from smallhold.settings import load_settings
from smallhold.state import Database, Durability, State
from smallhold.state.knowledge import (
    Chunk,
    DocumentFormat,
    Knowledge,
    KnowledgeSettings,
    KnownDocument,
    ParsingLimits,
    Reading,
)
from smallhold.state.knowledge.document_index import document_index
from smallhold.state.knowledge.files import readable_files
from smallhold.state.knowledge.formats import required_format
from smallhold.state.knowledge.meaning import Meaning, MeaningSource
from smallhold.state.knowledge.parsers.parsing import parse
from smallhold.state.knowledge.quantization import quantized
from smallhold.state.knowledge.rows import Collection, KnowledgeRows, StoredDocument

KEYS: Final = KeyRing({"benchmark": bytes(range(32))})
CHUNKS_OF_DOCUMENT: Final = 100
CHUNK_WORDS: Final = 115
"""What a chunk of the PostgreSQL manual has at the default sizes, in the mean."""
SENTENCE_CHARS: Final = 20
"""Shorter ones are headings and names."""
VOCABULARY: Final = 60_000
ZIPF_EXPONENT: Final = 1.07
"""Source: Piantadosi 2014, "Zipf's word frequency law in natural language", equation 2."""
ZIPF_SHIFT: Final = 2.7
QUESTIONS: Final = (
    "how do I restore a backup to a point in time",
    "undo the last statements but keep the transaction",
    "maximum size of a table",
    "which index serves a search for part of a word",
    "why is my query waiting for a lock",
    "logical replication of a single table",
    "password authentication fails",
    "store a picture in a column",
)


def sentences(folder: Path) -> list[str]:
    """Read the sentences of a manual."""
    found: list[str] = []
    for path in readable_files(folder):
        try:
            document = parse(
                path.read_bytes(),
                file_format=required_format(path.name),
                source=path.name,
                limits=ParsingLimits(),
            )
        except Exception:  # noqa: BLE001, S112 - a benchmark takes what it can get
            continue
        for block in document.blocks:
            found += [
                part
                for part in re.split(r"(?<=[.!?])\s+", block.text)
                if len(part) > SENTENCE_CHARS
            ]
    return found


def texts(count: int, *, folder: Path | None) -> Iterator[str]:
    """Make chunks' texts, always the same ones."""
    chance = random.Random(7)  # noqa: S311 - repeatable on purpose
    if folder is not None:
        pool = sentences(folder)
        for _ in range(count):
            parts: list[str] = []
            while sum(len(part.split()) for part in parts) < CHUNK_WORDS:
                parts.append(chance.choice(pool))
            yield " ".join(parts)
        return
    ranks = np.arange(1, VOCABULARY + 1)
    shares = np.cumsum(1 / (ranks + ZIPF_SHIFT) ** ZIPF_EXPONENT)
    generator = np.random.default_rng(7)
    for _ in range(count):
        places = np.searchsorted(shares / shares[-1], generator.random(CHUNK_WORDS))
        yield " ".join(f"w{place:x}" for place in places)


async def fill(state: State, *, chunks: int, folder: Path | None) -> None:
    """Write documents straight into the database."""
    meaning = await MeaningSource(None, is_wanted=True).current()
    rows = KnowledgeRows(rows=state.rows, collection=KnowledgeSettings().collection)
    generator = np.random.default_rng(7)
    batch: list[Chunk] = []
    number = 0
    for text in texts(chunks, folder=folder):
        batch.append(Chunk(text=text, headings=(f"Document {number}",)))
        if len(batch) == CHUNKS_OF_DOCUMENT:
            await put(rows, number, batch, meaning=meaning, generator=generator)
            batch, number = [], number + 1
    if batch:
        await put(rows, number, batch, meaning=meaning, generator=generator)


async def put(
    rows: KnowledgeRows,
    number: int,
    chunks: Sequence[Chunk],
    *,
    meaning: Meaning | None,
    generator: np.random.Generator,
) -> None:
    """Store one document with random vectors."""
    vectors = None
    if meaning is not None:
        size = (len(chunks), len(meaning.model.probe))
        directions = generator.standard_normal(size, dtype=np.float32)
        vectors = quantized(directions / np.linalg.norm(directions, axis=1, keepdims=True))
    known = KnownDocument(
        id=f"d{number:06}",
        source=f"/benchmark/{number:06}.txt",
        title=f"Document {number}",
        format=DocumentFormat.TEXT,
        chunks=len(chunks),
        size_bytes=sum(len(chunk.text) for chunk in chunks),
        indexed_s=0.0,
        is_embedded=meaning is not None,
    )
    key = None if meaning is None else meaning.model.key
    async with rows.rows.writing() as connection:
        await rows.put(
            connection,
            StoredDocument(known=known, content_key=f"{number:032}", model_key=key),
            source_key=f"{number:032}",
            generation=number + 1,
            chunks=chunks,
            index=document_index(chunks, vectors=vectors),
        )
        model = None if meaning is None else meaning.model
        await rows.set_state(connection, Collection(generation=number + 1, model=model))


async def searched(state: State, *, rounds: int) -> JsonObject:
    """Search in this process, which has done nothing else."""
    process = psutil.Process()
    knowledge = Knowledge(state)
    started_s = time.perf_counter()
    await knowledge.search(QUESTIONS[0], reading=Reading.WORDS)
    load_s = time.perf_counter() - started_s
    await knowledge.search(QUESTIONS[0])
    figures: JsonObject = {"load_s": round(load_s, 2)}
    for reading in Reading:
        times_ms: list[float] = []
        for turn in range(rounds):
            started_s = time.perf_counter()
            await knowledge.search(QUESTIONS[turn % len(QUESTIONS)], reading=reading)
            times_ms.append(1000 * (time.perf_counter() - started_s))
        figures[f"{reading.value}_p50_ms"] = round(statistics.median(times_ms), 1)
        figures[f"{reading.value}_p95_ms"] = round(float(np.percentile(times_ms, 95)), 1)
    figures["resident_mb"] = round(process.memory_info().rss / 1e6)
    figures["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
    figures["chunks"] = (await knowledge.status()).chunks
    return figures


async def recalled(state: State, folder: Path) -> JsonObject:
    """Take a manual in, and ask its questions in each way of reading."""
    knowledge = Knowledge(state)
    await knowledge.add(folder)
    data = read_questions()
    report: JsonObject = {"chunks": (await knowledge.status()).chunks}
    for reading in Reading:

        async def search(text: str, reading: Reading = reading) -> list[Passage]:
            hits = await knowledge.search(text, limit=10, reading=reading)
            return [
                Passage(page=Path(hit.source).name, headings=hit.headings, text=hit.text)
                for hit in hits
            ]

        asked = await ask_questions(data.questions, search=search)
        report[reading.value] = build_report(asked).to_dict()
    return report


async def run(options: argparse.Namespace) -> JsonObject:
    """Do what the options say, in this process."""
    keys = KEYS if options.encrypted else None
    database = Database(options.state, keys=keys, durability=Durability.PROCESS_CRASH)
    try:
        state = State(database)
        if options.search:
            return await searched(state, rounds=options.rounds)
        if options.recall:
            return await recalled(state, options.documents)
        await fill(state, chunks=options.chunks, folder=options.documents)
        return {}
    finally:
        await database.aclose()


def text_kind(options: argparse.Namespace, *, is_new: bool) -> str:
    """Say what the chunks were made of."""
    if not is_new:
        return "as it was filled"
    return "zipf" if options.documents is None else "manual"


def in_process(options: argparse.Namespace) -> JsonObject:
    """Search in a fresh process, whose memory is that of a search alone."""
    command = [sys.executable, __file__, "--search", "--state", str(options.state)]
    command += ["--rounds", str(options.rounds), *(["--encrypted"] if options.encrypted else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ)  # noqa: S603 - this file
    figures: JsonObject = json.loads(done.stdout)
    return figures


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200, help="searches of each kind")
    parser.add_argument("--documents", type=Path, default=None, help="a folder of a manual")
    parser.add_argument("--state", type=Path, default=None, help="keep the database here")
    parser.add_argument("--encrypted", action="store_true")
    parser.add_argument("--recall", action="store_true")
    parser.add_argument("--search", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run the benchmark."""
    chosen = options()
    with tempfile.TemporaryDirectory() as folder:
        chosen.state = chosen.state or Path(folder) / "knowledge.db"
        is_new = not chosen.state.exists()
        if chosen.search or chosen.recall:
            figures = anyio.run(run, chosen)
        else:
            started_s = time.perf_counter()
            if is_new:
                anyio.run(run, chosen)
            fill_s = time.perf_counter() - started_s
            figures = in_process(chosen) | {
                "fill_s": round(fill_s, 1),
                "database_mb": round(chosen.state.stat().st_size / 1e6),
                "text": text_kind(chosen, is_new=is_new),
                "model": "installed" if (load_settings().model_store).exists() else "none",
                "encrypted": chosen.encrypted,
            }
    print(json.dumps(figures))  # noqa: T201 - what a benchmark is for


if __name__ == "__main__":
    main()
