"""Promises of `smallhold.models.choice.need`:
this file holds tests of reading what is looked for.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError, UnknownNeedError
from smallhold.models.catalog.catalog import Category, UseCase
from smallhold.models.choice.need import (
    CATEGORY_WORDS,
    FILLERS,
    PREFERENCE_WORDS,
    USE_WORDS,
    Need,
    Preference,
    parse_need,
)

ALIASES = ("phi-4-mini", "smollm2-135m", "code")
FASTEST = Preference.FASTEST


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("phi-4-mini", Need(alias="phi-4-mini")),
        ("Phi-4-Mini:Q8_0", Need(alias="phi-4-mini", quantization="q8_0")),
        ("unheard-of", Need(alias="unheard-of")),
        ("the best that fits 4 GB", Need(memory_bytes=4_000_000_000)),
        ("best in 1.5GiB", Need(memory_bytes=1_610_612_736)),
        (
            "fast routing",
            Need(use_case=UseCase.LIGHTWEIGHT_ROUTING, preference=FASTEST),
        ),
        ("routing", Need(use_case=UseCase.LIGHTWEIGHT_ROUTING)),
        ("complex-reasoning", Need(use_case=UseCase.COMPLEX_REASONING)),
        ("a small ultra-light model", Need(category=Category.ULTRA_LIGHT, preference=FASTEST)),
        (
            "reasoning within 8GB and 16k tokens of context",
            Need(
                use_case=UseCase.COMPLEX_REASONING,
                memory_bytes=8_000_000_000,
                context_tokens=16_384,
            ),
        ),
        ("chat, context 32k", Need(use_case=UseCase.GENERAL_CONVERSATION, context_tokens=32_768)),
        ("12000 tokens", Need(context_tokens=12_000)),
        ("coding in 2 GB or 4 GB".replace(" or", ""), Need(
            use_case=UseCase.CODE_ASSISTANCE, memory_bytes=2_000_000_000
        )),
    ],
)  # fmt: skip
def test_a_need_is_read_from_its_words(text: str, need: Need) -> None:
    read = parse_need(text, aliases=ALIASES)
    assert read.text == text
    assert Need(
        alias=read.alias, quantization=read.quantization, use_case=read.use_case,
        category=read.category, memory_bytes=read.memory_bytes,
        context_tokens=read.context_tokens, preference=read.preference,
    ) == need  # fmt: skip


def test_an_alias_comes_before_a_word() -> None:
    assert parse_need("code", aliases=ALIASES).alias == "code"
    assert parse_need("code").use_case is UseCase.CODE_ASSISTANCE


def test_an_unknown_word_gets_the_nearest_ones() -> None:
    with pytest.raises(UnknownNeedError, match=r"'routin' means nothing.*Did you mean routing"):
        parse_need("fast routin", aliases=ALIASES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("code and routing", "two uses, code-assistance and lightweight-routing"),
        ("balanced ultra-light", "two categories"),
        ("phi 4 mini", "'phi', '4', 'mini' means nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UnknownNeedError, match=problem):
        parse_need(text)


def test_memory_of_no_bytes_is_refused() -> None:
    with pytest.raises(ConfigError, match="need"):
        parse_need("best in 0 GB")


@given(st.text())
def test_any_text_is_a_need_or_a_clear_error(text: str) -> None:
    with suppress(UnknownNeedError, ConfigError):
        assert parse_need(text, aliases=ALIASES).text == text


WORDS = st.sampled_from(sorted({*PREFERENCE_WORDS, *FILLERS}))


@given(st.lists(WORDS), st.sampled_from(sorted(USE_WORDS)))
def test_words_mean_the_same_in_any_order(words: list[str], use: str) -> None:
    one = [use, *words]
    other = sorted(one)
    first, second = (parse_need(" ".join(each)) for each in (one, other))
    assert first.use_case is second.use_case is USE_WORDS[use]
    assert first.preference is second.preference


def test_no_word_means_two_things() -> None:
    groups = [set(USE_WORDS), set(CATEGORY_WORDS), set(PREFERENCE_WORDS), set(FILLERS)]
    assert sum(len(group) for group in groups) == len(set[str]().union(*groups))
