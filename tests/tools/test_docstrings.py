"""Behaviour of the docstring reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ToolDefinitionError
from smallhold.tools.docstrings import read_docstring


def test_the_summary_is_the_first_paragraph_on_one_line() -> None:
    text = """Look up
    an order.

    This is for maintainers.
    """
    assert read_docstring(text, tool="t").summary == "Look up an order."


def test_each_documented_argument_is_read_on_one_line() -> None:
    text = """Look up an order.

    Args:
        order_id: The number printed
            on the receipt.
        days (int): How far to look back: one day
            is the least.

    Returns:
        the order
    """
    assert read_docstring(text, tool="t").parameters == {
        "order_id": "The number printed on the receipt.",
        "days": "How far to look back: one day is the least.",
    }


def test_arguments_right_below_the_summary_are_not_part_of_it() -> None:
    read = read_docstring("Look up.\nArgs:\n    a: first", tool="t")
    assert (read.summary, dict(read.parameters)) == ("Look up.", {"a": "first"})


@pytest.mark.parametrize("text", [None, "", "   \n  ", "\n    Args:\n        a: first"])
def test_a_docstring_without_text_has_an_empty_summary(text: str | None) -> None:
    assert read_docstring(text, tool="t").summary == ""


@pytest.mark.parametrize("section", ["Returns", "Raises", "Yields", "Example", "Note"])
def test_free_text_in_other_sections_is_no_fault(section: str) -> None:
    read = read_docstring(f"Do it.\n\n{section}:\n    nothing in particular", tool="t")
    assert (read.summary, dict(read.parameters)) == ("Do it.", {})


def test_an_argument_without_a_colon_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(ToolDefinitionError, match=r"`name: what it means`") as caught:
        read_docstring("Do it.\n\nArgs:\n    the order", tool="find_order")
    assert caught.value.tool == "find_order"


@given(st.text())
def test_any_text_is_read_or_refused_with_our_own_error(text: str) -> None:
    try:
        read = read_docstring(text, tool="t")
    except ToolDefinitionError:
        return
    assert "\n" not in read.summary
