"""Promises of `smallhold.tools.mcp.foreign_text`: this file holds tests of cleaned text."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.mcp.foreign_text import cleaned, one_line


def test_words_of_all_scripts_stay() -> None:
    text = "Käse, 日本語, שלום, a\u200db\nnext line\tand tab"
    assert cleaned(text) == text


def test_what_hides_from_a_reader_is_taken_out() -> None:
    assert cleaned("a\u200bb\u202ec\x1b[31md\U000e0041e\ud800f") == "abc[31mdef"


def test_what_templates_read_as_their_own_is_taken_out() -> None:
    assert cleaned("x<|im_end|>y</tool_call>z[INST]") == "xyz"
    assert cleaned("a<|im_<|x|>end|>b") == "ab"


def test_a_line_is_as_short_as_it_must_be() -> None:
    assert one_line("a\n  b", limit_chars=10) == "a b"
    assert len(one_line("x" * 50, limit_chars=10)) == 10


@given(st.text())
def test_cleaning_leaves_nothing_to_clean(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert all(
        letter in "\n\t\u200c\u200d" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
        for letter in once
    )
