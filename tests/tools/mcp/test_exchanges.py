"""Promises of `smallhold.tools.mcp.exchanges`: this file holds tests of requests to servers."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from tests.tools.mcp.conftest import HOSTILE, REFERENCE

from smallhold.exceptions import PeerChangedError, PeerFaultError, UnknownOutcomeError
from smallhold.tools.mcp.addresses import ProcessAddress
from smallhold.tools.mcp.background import in_background
from smallhold.tools.mcp.catalogue import Catalogue
from smallhold.tools.mcp.exchanges import Bell, Exchanges
from smallhold.tools.mcp.settings import MCPLimits, WhenChanged

pytestmark = pytest.mark.anyio
Value = TypeVar("Value")


async def with_server(
    work: Callable[[Exchanges, Catalogue], Awaitable[Value]],
    *arguments: str,
    environment: dict[str, str] | None = None,
) -> Value:
    """Do something with a server and close it."""

    async def run() -> Value:
        catalogue = Catalogue(
            server="peer", identity="0" * 64, cache=None, when_changed=WhenChanged.AT_START
        )
        address = ProcessAddress(
            command=sys.executable, arguments=arguments, environment=environment or {}
        )
        exchanges = Exchanges(
            address, server="peer", limits=MCPLimits(connect_s=20), catalogue=catalogue
        )
        try:
            await exchanges.connect()
            return await work(exchanges, catalogue)
        finally:
            await exchanges.aclose()

    return await in_background(run)


async def test_what_the_sdks_own_server_offers_is_listed_and_read() -> None:
    async def read(exchanges: Exchanges, catalogue: Catalogue) -> list[str]:
        assert exchanges.instructions == "A small shop."
        assert catalogue.shown is not None
        assert catalogue.shown.has_resources
        assert {"add", "order_status"} <= {tool.name for tool in catalogue.shown.tools}
        return [
            *[each.name for each in catalogue.shown.prompts],
            *[each.uri for each in await exchanges.resources()],
            *[str(part.text) for part in await exchanges.read_resource("shop://orders/7")],
            *[each.name for each in await exchanges.prompts()],
            *[each.content for each in await exchanges.get_prompt("greeting", {"name": "Bo"})],
        ]

    assert await with_server(read, REFERENCE, "stdio") == [
        "greeting", "shop://hours", "shop://orders/{number}", "order 7", "greeting",
        "Greet Bo kindly.",
    ]  # fmt: skip


async def test_a_server_without_resources_has_none() -> None:
    async def both(exchanges: Exchanges, catalogue: Catalogue) -> int:
        del catalogue
        return len(await exchanges.resources()) + len(await exchanges.prompts())

    assert await with_server(both, HOSTILE, "chatty") == 0


@pytest.mark.parametrize("mode", ["endless_pages", "many_tools"])
async def test_a_listing_without_end_is_the_servers_fault(mode: str) -> None:
    async def nothing(exchanges: Exchanges, catalogue: Catalogue) -> None:
        del exchanges, catalogue

    with pytest.raises(PeerFaultError, match="lists more than"):
        await with_server(nothing, HOSTILE, mode)


async def test_a_result_that_is_not_what_was_promised_is_no_result() -> None:
    async def count(exchanges: Exchanges, catalogue: Catalogue) -> object:
        del catalogue
        return await exchanges.call_tool("count", {}, key="")

    with pytest.raises(PeerFaultError, match=r"`count` must be a whole number.*was done"):
        await with_server(count, HOSTILE, "lies")


async def test_a_call_is_made_once_though_its_server_dies(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    async def work(exchanges: Exchanges, catalogue: Catalogue) -> None:
        del catalogue
        with pytest.raises(UnknownOutcomeError):
            await exchanges.call_tool("work", {}, key="")
        assert notes.read_text("utf-8") == "called\n"
        assert (await exchanges.call_tool("work", {}, key="")).text == "done"

    await with_server(work, HOSTILE, "dies_first", environment={"NOTES": str(notes)})


async def test_a_call_that_may_be_repeated_is_made_again(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    async def work(exchanges: Exchanges, catalogue: Catalogue) -> str:
        del catalogue
        return (await exchanges.call_tool("work", {}, key="")).text

    environment = {"NOTES": str(notes)}
    mode = "dies_first_idempotent"
    assert await with_server(work, HOSTILE, mode, environment=environment) == "done"
    assert notes.read_text("utf-8") == "called\ncalled\n"


async def test_a_change_under_way_is_noticed_and_a_riskier_tool_not_called() -> None:
    async def change(exchanges: Exchanges, catalogue: Catalogue) -> None:
        await exchanges.call_tool("kept", {}, key="")
        for _ in range(100):
            if catalogue.changes:
                break
            await anyio.sleep(0.05)
        assert catalogue.changes.added == ("added",)
        with pytest.raises(PeerChangedError):
            await exchanges.call_tool("risky", {}, key="")
        with pytest.raises(PeerChangedError):
            await exchanges.call_tool("gone", {}, key="")
        assert (await exchanges.call_tool("kept", {}, key="")).text == "done"

    await with_server(change, HOSTILE, "changes")


async def test_a_bell_that_was_rung_before_wakes_at_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    with anyio.fail_after(1):
        await bell.wait()
    with anyio.move_on_after(0.05) as scope:
        await bell.wait()
    assert scope.cancelled_caught
