from __future__ import annotations

import anyio
from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.recall import SEPARATOR, Fitting, Passage, fit, joined


async def count_words(text: str) -> int:
    return len(text.split())


def test_passages_are_joined_as_budgets_count_them() -> None:
    passages = [Passage(text=text, source="s", score=1.0) for text in ("one", "two")]
    assert joined(passages) == "one\ntwo"
    assert joined([]) == ""


async def test_the_first_texts_that_fit_are_chosen() -> None:
    fitting = await fit(["a b", "c", "d e f"], limit_tokens=3, count_tokens=count_words)
    assert fitting == Fitting(chosen=(0, 1), tokens=3)


async def test_a_shorter_text_after_one_that_is_too_long_is_taken() -> None:
    fitting = await fit(["a b c d", "e", "f g h", "i"], limit_tokens=2, count_tokens=count_words)
    assert fitting == Fitting(chosen=(1, 3), tokens=2)


async def test_no_budget_chooses_nothing_and_counts_nothing() -> None:
    async def never(text: str) -> int:
        raise AssertionError(text)

    for limit_tokens in (0, -5):
        fitting = await fit(["a"], limit_tokens=limit_tokens, count_tokens=never)
        assert fitting == Fitting(chosen=(), tokens=0)


async def test_a_thousand_texts_take_few_counts() -> None:
    counts = 0

    async def counted(text: str) -> int:
        nonlocal counts
        counts += 1
        return await count_words(text)

    fitting = await fit(["word"] * 1000, limit_tokens=300, count_tokens=counted)
    assert len(fitting.chosen) == 300
    assert counts < 20


@given(
    st.lists(st.text(alphabet="ab c", max_size=20), max_size=30),
    st.integers(min_value=-1, max_value=40),
    st.integers(min_value=1, max_value=4),
)
def test_no_budget_is_ever_exceeded(texts: list[str], limit_tokens: int, cost: int) -> None:
    async def count_tokens(text: str) -> int:
        # Not additive: joining costs, as with real tokenizers.
        return cost * len(text.split()) + text.count(SEPARATOR)

    async def check() -> None:
        fitting = await fit(texts, limit_tokens=limit_tokens, count_tokens=count_tokens)
        text = SEPARATOR.join(texts[number] for number in fitting.chosen)
        assert sorted(set(fitting.chosen)) == list(fitting.chosen)
        assert fitting.tokens <= max(0, limit_tokens)
        assert fitting.tokens == (await count_tokens(text) if fitting.chosen else 0)

    anyio.run(check)
