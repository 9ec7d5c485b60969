from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.context.rendering import (
    SEPARATOR,
    call_text,
    calls_text,
    cut_text,
    facts_of_mark,
    left_out_mark,
)
from smallhold.messages import ToolCall

FACTS = st.lists(
    st.text(alphabet=st.characters(exclude_characters="|\n"), min_size=1).filter(
        lambda fact: fact == fact.strip()
    ),
    max_size=4,
)


def test_a_call_is_one_line_that_says_all() -> None:
    call = ToolCall(id="1", name="mail", arguments={"to": "anna@example.org", "text": "a\nb|c"})
    assert call_text(call) == r'mail {"to": "anna@example.org", "text": "a\nb\u007cc"}'
    assert calls_text([call, call]) == f"{call_text(call)}\n{call_text(call)}"


def test_no_calls_have_no_text() -> None:
    assert calls_text([]) == ""


def test_a_mark_names_the_tool_the_size_and_the_facts() -> None:
    mark = left_out_mark("order_status", tokens=1_234, facts=['"eta": "May"', "order 5"])
    assert mark == (
        '[left out: the result of order_status, 1,234 tokens; kept of it: "eta": "May" | order 5]'
    )


@given(tool=st.text(max_size=100), tokens=st.integers(min_value=0), facts=FACTS)
def test_the_facts_of_a_mark_can_be_read_back(tool: str, tokens: int, facts: list[str]) -> None:
    mark = left_out_mark(tool, tokens=tokens, facts=facts)
    assert "\n" not in mark
    assert facts_of_mark(mark) == tuple(facts)


@given(content=st.text(max_size=60))
def test_other_results_are_no_marks(content: str) -> None:
    assert facts_of_mark(content) is None


@given(text=st.text(max_size=300), kept_chars=st.integers(min_value=0, max_value=300))
def test_a_cut_text_says_how_many_characters_are_gone(text: str, kept_chars: int) -> None:
    cut = cut_text(text, kept_chars=kept_chars)
    if kept_chars >= len(text):
        assert cut == text
    else:
        gone = len(text) - kept_chars
        assert cut == f"{text[:kept_chars]}\n[cut here: {gone} more characters were left out]"


def test_a_text_that_was_cut_before_says_all_that_is_gone() -> None:
    once = cut_text("a" * 3_000, kept_chars=1_000)
    twice = cut_text(once, kept_chars=400)
    assert twice == f"{'a' * 400}\n[cut here: 2,600 more characters were left out]"


def test_a_fact_with_the_separator_in_it_would_be_two() -> None:
    mark = left_out_mark("look", tokens=1, facts=[f"a{SEPARATOR}b"])
    assert facts_of_mark(mark) == ("a", "b")
