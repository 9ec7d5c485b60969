"""Promises of `smallhold.tools.mcp.catalogue`: this file holds tests of what is shown, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.exceptions import PeerChangedError
from smallhold.tools.mcp.catalogue import Catalogue
from smallhold.tools.mcp.hints import ToolHints
from smallhold.tools.mcp.listing_cache import ListingCache
from smallhold.tools.mcp.offers import Changes, Listing, OfferedTool
from smallhold.tools.mcp.settings import WhenChanged

READS = ToolHints(read_only=True)


def tool(name: str, *, hints: ToolHints = READS, description: str = "") -> OfferedTool:
    return OfferedTool(name=name, description=description, input_schema={}, hints=hints)


OLD = Listing(tools=(tool("a"), tool("b")))
NEW = Listing(tools=(tool("b", description="new"), tool("c")))


def catalogue(
    folder: Path | None,
    *,
    when_changed: WhenChanged = WhenChanged.AT_START,
    seen: list[Changes] | None = None,
) -> Catalogue:
    return Catalogue(
        server="shop",
        identity="0" * 64,
        cache=None if folder is None else ListingCache(folder),
        when_changed=when_changed,
        on_changes=None if seen is None else seen.append,
    )


def names(listing: Listing | None) -> list[str]:
    return [] if listing is None else [each.name for each in listing.tools]


def test_nothing_is_shown_before_a_server_was_asked(tmp_path: Path) -> None:
    assert catalogue(tmp_path).shown is None


def test_what_is_shown_stays_while_the_program_runs(tmp_path: Path) -> None:
    seen: list[Changes] = []
    shop = catalogue(tmp_path, seen=seen)
    shop.notice(OLD)
    shop.notice(NEW)
    assert names(shop.shown) == ["a", "b"]
    assert names(shop.newest) == ["b", "c"]
    assert seen == [Changes(added=("c",), removed=("a",), changed=("b",))]
    assert seen == [shop.changes]


def test_changes_are_reported_once(tmp_path: Path) -> None:
    seen: list[Changes] = []
    shop = catalogue(tmp_path, seen=seen)
    for listing in (OLD, NEW, NEW, NEW):
        shop.notice(listing)
    assert len(seen) == 1


def test_changes_are_shown_at_the_next_start(tmp_path: Path) -> None:
    shop = catalogue(tmp_path)
    shop.notice(OLD)
    shop.notice(NEW)
    assert names(catalogue(tmp_path).shown) == ["b", "c"]


def test_changes_wait_for_a_request_if_that_is_wanted(tmp_path: Path) -> None:
    shop = catalogue(tmp_path, when_changed=WhenChanged.ON_REQUEST)
    shop.notice(OLD)
    shop.notice(NEW)
    again = catalogue(tmp_path, when_changed=WhenChanged.ON_REQUEST)
    assert names(again.shown) == ["a", "b"]
    assert again.apply().added == ("c",)
    assert names(again.shown) == ["b", "c"]
    assert not again.changes
    assert names(catalogue(tmp_path, when_changed=WhenChanged.ON_REQUEST).shown) == ["b", "c"]


def test_a_change_that_is_taken_back_is_none(tmp_path: Path) -> None:
    shop = catalogue(tmp_path)
    for listing in (OLD, NEW, OLD):
        shop.notice(listing)
    assert not shop.changes


def test_a_tool_that_is_gone_is_not_called() -> None:
    shop = catalogue(None)
    shop.notice(OLD)
    shop.notice(NEW)
    with pytest.raises(PeerChangedError, match="no longer offered"):
        shop.check("a")


def test_a_tool_that_has_become_riskier_is_not_called_until_that_was_seen() -> None:
    shop = catalogue(None)
    shop.notice(OLD)
    shop.notice(Listing(tools=(tool("a", hints=ToolHints(destructive=True)), tool("b"))))
    with pytest.raises(PeerChangedError, match="more harm"):
        shop.check("a")
    shop.check("b")
    shop.apply()
    shop.check("a")


def test_a_tool_that_only_says_something_else_may_be_called() -> None:
    shop = catalogue(None)
    shop.notice(OLD)
    shop.notice(NEW)
    shop.check("b")
    shop.check("never shown")
