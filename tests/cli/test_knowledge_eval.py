"""Promises of `smallhold.cli.knowledge_eval`: this file holds tests of `eval knowledge`."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from smallhold.cli.knowledge_eval import (
    KnowledgeTrial,
    count_unproved,
    opened_embedder,
    report_table,
)
from smallhold.cli.options import HalfWord
from smallhold.evals.knowledge import Answer, Half, Question, QuestionSet, Style, read_questions
from smallhold.evals.knowledge.searching import Mode
from smallhold.exceptions import ConfigError, ModelNotInstalledError, UnknownModelError
from smallhold.settings import load_settings
from smallhold.testing import ScriptedRuntime

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Screen

    from smallhold.runtimes.protocol import Embedder

QUESTIONS = tuple(
    Question(
        text=f"how is the {part} closed",
        style=Style.QUESTION,
        answers=(Answer(page=f"{part}.html", section="Closing", phrase=f"turn the {part}"),),
    )
    for part in ("valve", "hatch", "window", "gate", "drawer")
)
DATA = QuestionSet(
    package="house-doc", folder=Path("/usr/share/doc/house-doc"), version="1", questions=QUESTIONS
)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for part in ("valve", "hatch", "window", "gate"):
        (folder / f"{part}.html").write_text(
            f'<html><body><div class="sect1"><h2>1. The {part}</h2><p>All about it.</p>'
            f'<div class="sect2"><h3>1.1. Closing</h3><p>Turn the {part} with care.</p>'
            "</div></div></body></html>"
        )
    (folder / "empty.html").write_text("<html><body></body></html>")
    return folder


def trial(
    collection: Path, *, embedder: Embedder | None = None, index: Path | None = None
) -> KnowledgeTrial:
    return KnowledgeTrial(
        data=DATA,
        questions=DATA.questions,
        collection=collection,
        index=index,
        embedder=embedder,
        alias="bag-of-words",
    )


async def test_every_way_of_searching_is_measured_on_the_same_questions(
    collection: Path, screen: Screen
) -> None:
    report = await trial(collection, embedder=ScriptedRuntime([])).hold(console=screen.console)
    document = json.loads(json.dumps(report.to_dict()))
    modes = document.pop("modes")
    assert document.pop("chunks") >= 4
    assert document == {
        "collection": "house-doc", "embedder": "bag-of-words",
        "documents": 4, "refused": 1, "unproved": 1,
    }  # fmt: skip
    assert list(modes) == ["bm25", "embeddings", "hybrid"]
    # The drawer's page is missing, so it counts as not found.
    assert [figures["n"] for figures in modes.values()] == [5, 5, 5]
    assert modes["bm25"]["recall_at_1"] == 0.8


async def test_without_an_embedder_words_alone_are_measured(
    collection: Path, screen: Screen
) -> None:
    report = await trial(collection).hold(console=screen.console)
    assert list(report.modes) == [Mode.BM25]
    assert report.embedder is None


async def test_an_index_that_was_kept_is_used_again(
    collection: Path, tmp_path: Path, screen: Screen
) -> None:
    index = tmp_path / "index.sqlite"
    (collection / "door.html").write_text("<h1>The door</h1><p>It is open.</p>")
    first = await trial(collection, index=index).hold(console=screen.console)
    (collection / "door.html").unlink()
    second = await trial(collection, index=index).hold(console=screen.console)
    assert (first.documents, second.documents) == (5, 4)
    assert index.exists()


async def test_people_read_a_table(collection: Path, screen: Screen) -> None:
    report = await trial(collection, embedder=ScriptedRuntime([])).hold(console=screen.console)
    screen.console.print(report_table(report))
    assert "chunks of 4 documents of house-doc" in screen.text
    assert "recall@5, question" in screen.text
    assert "80.0% of 5" in screen.text


def test_a_folder_of_other_documents_is_refused(collection: Path) -> None:
    assert count_unproved(DATA, collection=collection) == 1
    (collection / "gate.html").unlink()
    with pytest.raises(ConfigError, match="2 of 5 answers are not in it"):
        count_unproved(DATA, collection=collection)


def test_the_command_says_where_the_documents_come_from(
    collection: Path, command_line: CommandLine
) -> None:
    result = command_line(
        "eval", "knowledge", "--collection", str(collection), "--embedder", "none"
    )
    assert result.exit_code == 2
    assert "scripts/fetch-documents" in result.stderr


def test_a_sentence_model_that_is_not_here_names_the_command_that_fetches_it(
    collection: Path, command_line: CommandLine
) -> None:
    result = command_line("eval", "knowledge", "--collection", str(collection))
    assert result.exit_code == 1
    assert "smallhold pull all-minilm-l6-v2" in result.stderr


@pytest.mark.parametrize(
    ("alias", "error"),
    [
        ("no-such-model", UnknownModelError),
        ("smollm2-135m", ConfigError),
        ("all-minilm-l6-v2", ModelNotInstalledError),
    ],
)
def test_what_is_no_sentence_model_at_hand_is_refused(
    alias: str, error: type[Exception], tmp_path: Path
) -> None:
    settings = replace(load_settings(), home=tmp_path)
    with pytest.raises(error):
        opened_embedder(alias, settings=settings)


def test_the_command_line_offers_both_halves() -> None:
    assert get_args(HalfWord) == tuple(half.value for half in Half)


@pytest.mark.slow
def test_the_real_manual_is_measured_by_words(command_line: CommandLine) -> None:
    known = read_questions()
    folder = Path(os.environ.get("SMALLHOLD_DOCUMENTS", known.folder))
    if not (folder / "index.html").is_file():
        pytest.skip(f"{known.package} is not installed, and SMALLHOLD_DOCUMENTS not set")
    result = command_line(
        "eval", "knowledge", "--collection", str(folder), "--embedder", "none",
        "--half", "held_out", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    figures = report["modes"]["bm25"]
    assert report["unproved"] == 0
    assert figures["n"] == len(known.of_half(Half.HELD_OUT))
    assert 0.4 < figures["recall_at_5"] <= figures["recall_at_10"] < 1
