"""Promises of `smallhold.tools.mcp.tool_names`: this file holds tests of lasting names."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.mcp.tool_names import tool_names


def test_usable_names_stay_and_get_the_prefix() -> None:
    assert dict(tool_names(["find", "get-item"], prefix="")) == {
        "find": "find", "get-item": "get-item",
    }  # fmt: skip
    assert dict(tool_names(["find"], prefix="shop_")) == {"find": "shop_find"}


def test_a_name_that_was_rewritten_never_takes_another_tools_own() -> None:
    alone = tool_names(["get.item"], prefix="")["get.item"]
    assert alone == "get_item"
    both = tool_names(["get.item", "get_item"], prefix="")
    assert both["get_item"] == "get_item"
    assert both["get.item"].startswith("get_item_")


def test_a_mark_does_not_depend_on_the_order() -> None:
    names = ["a.b", "a b", "a_b", "c"]
    assert tool_names(names, prefix="") == tool_names(names[::-1], prefix="")


@given(names=st.lists(st.text(max_size=80), unique=True, max_size=8), prefix=st.text(max_size=70))
def test_every_name_is_one_that_all_runtimes_take(names: list[str], prefix: str) -> None:
    given_ = tool_names(names, prefix=prefix)
    assert list(given_) == names
    for name in given_.values():
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}", name)


@given(names=st.lists(st.text("a._ ", min_size=1, max_size=5), unique=True, max_size=12))
def test_no_two_tools_get_one_name(names: list[str]) -> None:
    assert len(set(tool_names(names, prefix="").values())) == len(names)
