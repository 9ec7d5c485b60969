from __future__ import annotations

from dataclasses import replace

import pytest
from tests.cli.conftest import Screen

from smallhold.cli.knowledge_views import (
    indexed_line,
    print_hits,
    status_table,
    summary_line,
)
from smallhold.state.knowledge import Hit, Indexed, KnowledgeStatus, Outcome

STATUS = KnowledgeStatus(
    documents=1,
    chunks=2,
    unembedded=0,
    damaged=0,
    generation=1,
    has_embedder=True,
    is_embedder_same=True,
    is_encrypted=False,
)


def test_a_refusal_is_shown_with_its_reason_and_nothing_else_of_the_file() -> None:
    done = Indexed(source="a\x1b[2J.pdf", outcome=Outcome.REFUSED, problem="[red]no PDF")
    assert indexed_line(done).plain == "refused   a[2J.pdf: [red]no PDF"
    added = Indexed(source="a.md", outcome=Outcome.ADDED, chunks=3, embedded=1)
    assert indexed_line(added).plain == "added     a.md: 3 chunks, 1 embedded"


def test_outcomes_are_counted() -> None:
    done = [Indexed(source=str(n), outcome=Outcome.ADDED) for n in range(2)]
    assert summary_line(done).plain == "2 added"
    assert summary_line([]).plain == "nothing to do"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (STATUS, "installed"),
        (replace(STATUS, has_embedder=False), "none is installed"),
        (replace(STATUS, is_embedder_same=False), "knowledge reindex"),
    ],
)
def test_the_status_says_what_to_do_about_the_model(
    status: KnowledgeStatus, words: str, screen: Screen
) -> None:
    screen.console.print(status_table(status))
    assert words in " ".join(screen.text.split())


def test_hits_are_shown_with_their_places(screen: Screen) -> None:
    hit = Hit(
        document="d",
        number=0,
        digest="0",
        source="/x/a.pdf",
        title="",
        text="Some\ntext.",
        headings=("H",),
        page=2,
        last_page=2,
        score=0.5,
        coverage=0.5,
        similarity=None,
    )
    print_hits([hit], console=screen.console)
    assert "1. a.pdf, page 2, H\nSome text.\n" in screen.text
