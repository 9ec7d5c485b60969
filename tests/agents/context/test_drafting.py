from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agents.context.conversations import answer, called, user, words

from smallhold.agents.context.compaction import CompactionPlan
from smallhold.agents.context.counting import TokenCounts
from smallhold.agents.context.drafting import Draft, measured, shortened, with_limited_notes
from smallhold.agents.context.notes import HEADING, Notes
from smallhold.testing import ScriptedRuntime

EXCHANGES = tuple(
    (
        user(f"Where is order {number}?"),
        *called("look", f"shelf {number + 6000} {words(60)}"),
        answer("Found."),
    )
    for number in (1001, 1002, 1003)
)


@pytest.fixture
def counts() -> TokenCounts:
    return TokenCounts(ScriptedRuntime())


async def draft_of(counts: TokenCounts, *, exchanges: int, results: int) -> Draft:
    older = [await measured(exchange, counts) for exchange in EXCHANGES]
    return shortened(older, CompactionPlan(exchanges=exchanges, results=results), notes=None)


async def test_a_size_grows_with_what_the_template_puts_around_messages(
    counts: TokenCounts,
) -> None:
    one = await measured(EXCHANGES[0], counts)
    plain, scaled = one.size(scale=1.0), one.size(scale=1.5)
    assert plain.tokens == 4 + 2 + 62 + 1
    assert scaled.tokens == int(plain.tokens * 1.5)
    assert 0 < plain.savings_tokens[0] < scaled.savings_tokens[0]


async def test_the_oldest_results_are_left_out_and_nothing_else(counts: TokenCounts) -> None:
    draft = await draft_of(counts, exchanges=0, results=2)
    assert draft.notes is None
    assert [result.tool for result in draft.left_out] == ["look", "look"]
    assert "[left out" in draft.history[2].content
    assert "[left out" in draft.history[6].content
    assert draft.history[8:] == EXCHANGES[2]


async def test_the_oldest_exchanges_go_into_the_notes(counts: TokenCounts) -> None:
    draft = await draft_of(counts, exchanges=2, results=0)
    assert draft.notes is not None
    assert draft.notes.user == ("is order 1001", "is order 1002")
    assert draft.notes.tools == ("shelf 7001 word", "shelf 7002 word")
    assert draft.history[0].content.startswith(HEADING)
    assert draft.history[2:] == EXCHANGES[2]
    assert [one.exchange for one in draft.gone] == list(EXCHANGES[:2])


async def test_notes_that_fit_lose_nothing(counts: TokenCounts) -> None:
    draft = await draft_of(counts, exchanges=2, results=0)
    assert await with_limited_notes(draft, counts, limit_tokens=100) == draft


async def test_a_draft_without_notes_needs_no_limit(counts: TokenCounts) -> None:
    draft = await draft_of(counts, exchanges=0, results=1)
    assert await with_limited_notes(draft, counts, limit_tokens=0) == draft


@given(
    facts=st.lists(st.text(alphabet="ab c", min_size=1, max_size=30), max_size=30, unique=True),
    limit_tokens=st.integers(min_value=0, max_value=60),
)
async def test_notes_never_exceed_their_budget_and_name_what_they_lost(
    facts: list[str], limit_tokens: int
) -> None:
    counts = TokenCounts(ScriptedRuntime())
    draft = Draft(notes=Notes(user=tuple(facts)), gone=(), kept=())
    limited = await with_limited_notes(draft, counts, limit_tokens=limit_tokens)
    assert limited.notes is not None
    assert await counts.text(" | ".join(limited.notes.facts)) <= limit_tokens
    assert sorted((*limited.lost_facts, *limited.notes.facts)) == sorted(facts)
    assert list(limited.notes.facts) == [one for one in facts if one in limited.notes.facts]
