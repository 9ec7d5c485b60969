from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import CommandLine

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.md").write_text("# Shop\n\n## Returns\n\nBring the receipt.\n", "utf-8")
    (folder / "bad.pdf").write_text("no pdf", "utf-8")
    return folder


@pytest.fixture
def knowledge(command_line: CommandLine, tmp_path: Path) -> Run:
    def run(*arguments: str) -> tuple[int, str]:
        place = str(tmp_path / "state.db")
        result = command_line("knowledge", *arguments, "--state", place)
        return result.exit_code, result.output

    return run


WORDS = ("--embedder", "none")


def last_line(output: str) -> Any:
    return json.loads(output.strip().splitlines()[-1])


def test_documents_are_added_listed_found_and_removed(knowledge: Run, shop: Path) -> None:
    code, output = knowledge("add", str(shop), *WORDS)
    assert code == 0
    assert "1 added, 1 refused" in output
    assert "no PDF file" in output
    assert "shop.md" in knowledge("list")[1]
    assert "1. shop.md, Shop > Returns" in knowledge("search", "my receipt", *WORDS)[1]
    assert "1 documents removed" in knowledge("remove", str(shop), "--erase")[1]
    assert "Nothing was found." in knowledge("search", "my receipt", *WORDS)[1]


def test_programs_read_json(knowledge: Run, shop: Path) -> None:
    added = last_line(knowledge("add", str(shop), *WORDS, "--json")[1])
    assert [one["outcome"] for one in added] == ["refused", "added"]
    hits = last_line(knowledge("search", "receipt", *WORDS, "--json")[1])
    assert hits[0]["headings"] == ["Shop", "Returns"]
    status = last_line(knowledge("status", *WORDS, "--json")[1])
    assert (status["documents"], status["unembedded"]) == (1, 1)
    listed = last_line(knowledge("list", "--json")[1])
    assert listed[0]["format"] == "markdown"
    removed = last_line(knowledge("remove", str(shop), "--json")[1])
    assert removed == {"sources": [str(shop / "shop.md")], "chunks": 1}


def test_reindexing_without_a_model_has_nothing_to_do(knowledge: Run, shop: Path) -> None:
    knowledge("add", str(shop), *WORDS)
    assert "nothing to do" in knowledge("reindex", *WORDS)[1]
    assert last_line(knowledge("reindex", *WORDS, "--json")[1]) == []


def test_what_cannot_be_done_ends_with_a_message_and_exit_code_2(
    knowledge: Run, shop: Path
) -> None:
    for arguments, words in (
        (("add", str(shop / "bad.pdf"), *WORDS), "no PDF file"),
        (("add", "https://example.test/", *WORDS), "offline"),
        (("remove", str(shop)), "not among the documents"),
        (("watch", str(shop / "missing"), *WORDS), "no folder"),
        (("search", "x", "--embedder", "smollm2-135m"), "embeds no sentences"),
    ):
        code, output = knowledge(*arguments)
        assert code == 2
        assert words in " ".join(output.split())
