from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agents.context.conversations import answer, called, is_valid, user, words

from smallhold.agents.context.counting import TokenCounts
from smallhold.agents.context.rendering import facts_of_mark
from smallhold.agents.context.results import cut_result, old_results, without_results
from smallhold.testing import ScriptedRuntime

MARK_WORDS = len(["[cut", "here:", "9", "more", "characters", "were", "left", "out]"])
EXCHANGE = (
    user("Where?"),
    *called("look", f'{{"shelf": "B7"}} {words(60)}', call_id="call_1"),
    *called("count", "three", call_id="call_2"),
    answer("There."),
)


@pytest.fixture
def counts() -> TokenCounts:
    return TokenCounts(ScriptedRuntime())


async def test_a_result_that_fits_stays(counts: TokenCounts) -> None:
    assert await cut_result(words(50), counts, limit_tokens=50) == words(50)


async def test_a_cut_result_keeps_its_beginning_and_says_how_much_is_gone(
    counts: TokenCounts,
) -> None:
    text = " ".join(str(number) for number in range(500))
    cut = await cut_result(text, counts, limit_tokens=100)
    kept, mark = cut.split("\n[cut here: ")
    assert text.startswith(kept)
    assert mark == f"{len(text) - len(kept):,} more characters were left out]"


@given(
    lengths=st.lists(st.integers(min_value=1, max_value=30), min_size=1, max_size=80),
    limit_tokens=st.integers(min_value=MARK_WORDS, max_value=60),
)
async def test_no_cut_result_exceeds_its_budget(lengths: list[int], limit_tokens: int) -> None:
    counts = TokenCounts(ScriptedRuntime())
    text = " ".join("a" * length for length in lengths)
    assert await counts.text(await cut_result(text, counts, limit_tokens=limit_tokens)) <= (
        limit_tokens
    )


async def test_of_a_budget_smaller_than_the_mark_the_mark_is_left(counts: TokenCounts) -> None:
    cut = await cut_result(words(50), counts, limit_tokens=1)
    assert cut == f"\n[cut here: {len(words(50))} more characters were left out]"


async def test_only_results_that_are_longer_than_their_mark_can_be_left_out(
    counts: TokenCounts,
) -> None:
    (result,) = await old_results(EXCHANGE, counts)
    assert (result.tool, result.index, result.tokens) == ("look", 2, 62)
    assert 0 < result.saving_tokens < 62


async def test_the_mark_stands_in_the_results_place_and_keeps_its_facts(
    counts: TokenCounts,
) -> None:
    shorter = without_results(EXCHANGE, await old_results(EXCHANGE, counts))
    assert facts_of_mark(shorter[2].content) == ('"shelf": "B7"',)
    assert (*shorter[:2], *shorter[3:]) == (*EXCHANGE[:2], *EXCHANGE[3:])
    assert is_valid(shorter)


async def test_a_result_is_left_out_once(counts: TokenCounts) -> None:
    shorter = without_results(EXCHANGE, await old_results(EXCHANGE, counts))
    assert await old_results(shorter, counts) == ()


async def test_a_mark_has_room_for_few_facts(counts: TokenCounts) -> None:
    content = " ".join(f'"field_{number}": "value_{number}",' for number in range(200))
    exchange = (user("All?"), *called("look", content))
    (result,) = await old_results(exchange, counts)
    assert len(result.mark) < 260
    assert '"field_0": "value_0" | "field_1": "value_1"' in result.mark
