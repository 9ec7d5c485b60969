"""Promises of `smallhold.tools.mcp.plain_patterns`: this file holds tests of safe patterns."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher

from smallhold.tools.mcp.plain_patterns import is_plain_pattern

PLAIN = [
    "", r"^\d{4}-\d{2}-\d{2}$", "^[A-Z]{2,3}$", r"^[\w.-]+@[\w.-]+$", "a|b", "(?:ab)+c?", r"\.",
]  # fmt: skip
STRANGE = [
    r"\bword\b", "(?=a)b", "(?!a)b", r"(a)\1", "a$|^b", "(?i)a", r"\p{L}+", "a++", "a{1,5}{2}",
    "a{1,1000}", "[a", "(a", "a)", "*a", "x" * 300, r"(?<n>a)", "[[:alpha:]]",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PLAIN)
def test_everyday_patterns_are_plain(pattern: str) -> None:
    assert is_plain_pattern(pattern)


@pytest.mark.parametrize("pattern", STRANGE)
def test_patterns_that_engines_read_differently_are_not(pattern: str) -> None:
    assert not is_plain_pattern(pattern)


@given(st.text(r"^$ab1.|()[]{}*+?\dw,-:=!", max_size=12))
def test_a_grammar_can_be_built_of_every_plain_pattern(pattern: str) -> None:
    if is_plain_pattern(pattern):
        schema = json.dumps({"type": "string", "pattern": pattern})
        grammar = LLMatcher.grammar_from_lark(f"start: %json {schema}")
        assert not LLMatcher.validate_grammar(grammar), pattern
