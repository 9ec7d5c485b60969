from __future__ import annotations

from tests.state.knowledge.hits import hit

from smallhold.state.knowledge.recalling import fitting_passages
from smallhold.state.recall import joined


async def count_words(text: str) -> int:
    return len(text.split())


async def test_passages_fit_the_budget_and_keep_their_order() -> None:
    hits = [hit("one two three"), hit("four " * 50), hit("five six")]
    found = await fitting_passages(hits, limit_tokens=14, count_tokens=count_words)
    assert [passage.hit.text for passage in found] == ["one two three", "five six"]
    assert await count_words(joined(found)) <= 14


async def test_a_passage_says_where_it_is_from() -> None:
    (found,) = await fitting_passages(
        [hit("Plug it in.", headings=("Setup",))], limit_tokens=50, count_tokens=count_words
    )
    assert found.text == "[manual.pdf, page 3, Setup]\nPlug it in."
    assert found.source == "manual.pdf, page 3, Setup"
    assert found.reference.startswith("chunk:d/")
