"""Promises of `smallhold.tools.mcp.client`: this file holds tests of servers as agents use them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import anyio
import pytest
from tests.tools.mcp.conftest import HOSTILE, QUICK, REFERENCE, hostile, is_running, reference

from smallhold.agents import Agent, Config
from smallhold.exceptions import (
    ConfigError,
    PeerFaultError,
    PeerTimeoutError,
    PeerUnavailableError,
)
from smallhold.messages import ToolCall
from smallhold.testing import ScriptedRuntime, call
from smallhold.tools import AnyTool, OutcomeKind, ToolSet, run_tool
from smallhold.tools.mcp import Approval, MCPLimits, MCPOptions, MCPServer

pytestmark = pytest.mark.anyio
UNASKED = MCPOptions(is_remembered=False, approval=Approval.NEVER)


@pytest.fixture(scope="module")
def shop() -> Generator[MCPServer]:
    """One server for several tests; no event loop owns it."""
    options = MCPOptions(
        is_remembered=False, resources_as_tools=True, prompts_as_tools=True, prefix="shop_"
    )
    server = reference(options=options)
    anyio.run(server.connect)
    yield server
    anyio.run(server.aclose)


def shown(tools: Sequence[AnyTool]) -> str:
    """What a model is shown, byte by byte."""
    return json.dumps([[t.name, t.schema.description, t.schema.parameters] for t in tools])


async def test_an_agent_calls_a_tool_of_a_server_in_another_process(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with reference(notes=notes, options=UNASKED) as shop:
        runtime = ScriptedRuntime([call("cancel_order", order_id="1042"), "It is cancelled."])
        agent = Agent(Config(name="desk"), runtime=runtime, tools=await shop.tools())
        result = await agent.run("Please cancel order 1042.")
    assert result.text == "It is cancelled."
    assert result.steps[0].content == "order 1042 is cancelled"
    assert not result.steps[0].is_error
    assert notes.read_text("utf-8") == "cancelled 1042\n"


def test_synchronous_code_uses_a_server_too() -> None:
    server = hostile("chatty")
    runtime = ScriptedRuntime([call("work"), "It is done."])
    agent = Agent(Config(name="desk"), runtime=runtime, tools=anyio.run(server.tools))
    try:
        assert agent.chat("Please work.") == "It is done."
    finally:
        anyio.run(server.aclose)


async def test_nothing_is_started_before_it_is_needed(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    program = f"open({str(mark)!r}, 'w'); input()"
    MCPServer.stdio(sys.executable, ["-c", program])
    await anyio.sleep(0.3)
    assert not mark.exists()


async def test_a_known_server_gives_its_tools_without_being_started(tmp_path: Path) -> None:
    options = MCPOptions(cache_folder=tmp_path, limits=QUICK)
    async with hostile("reorders", options=options) as first:
        before = shown(await first.tools())
    for _ in range(3):
        again = hostile("reorders", options=options)
        started_s = time.monotonic()
        assert shown(await again.tools()) == before
        assert time.monotonic() - started_s < 0.5


async def test_a_prompt_stays_byte_for_byte_though_its_server_lists_in_another_order(
    tmp_path: Path,
) -> None:
    options = MCPOptions(cache_folder=tmp_path, limits=QUICK)
    prompts: set[str] = set()
    for _ in range(4):
        async with hostile("reorders", options=options) as server:
            prompts.add(shown(await server.tools()))
            assert not server.changes
    assert len(prompts) == 1


async def test_changes_are_applied_between_two_messages(tmp_path: Path) -> None:
    options = MCPOptions(cache_folder=tmp_path, limits=QUICK, approval=Approval.NEVER)
    async with hostile("changes", options=options) as server:
        tools = ToolSet(await server.tools())
        assert tools.names == ("gone", "kept", "risky")
        await server.call("kept", {})
        for _ in range(100):
            if server.changes:
                break
            await anyio.sleep(0.05)
        assert tools.names == ("gone", "kept", "risky")
        await server.apply_changes(tools)
        assert tools.names == ("kept", "risky", "added")
        assert not server.changes
        assert (await server.call("risky", {})).text == "done"


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    limits = MCPLimits(connect_s=10, call_s=0.5)
    async with hostile("never_answers", limits=limits) as server:
        with pytest.raises(PeerTimeoutError, match="may have been done"):
            await server.call("work", {})
        (tool,) = await server.tools()
        outcome = await run_tool(tool, ToolCall(id="1", name="work", arguments={}))
        assert outcome.kind in {OutcomeKind.TIMED_OUT, OutcomeKind.RAISED}
        assert outcome.duration_s < 2


async def test_a_server_that_never_starts_up_is_given_up() -> None:
    server = hostile("deaf", limits=MCPLimits(connect_s=0.5))
    with pytest.raises(PeerUnavailableError, match="not ready within"):
        await server.connect()


async def test_what_a_hostile_server_does_in_a_call_ends_in_words_for_the_model() -> None:
    contents: dict[str, str] = {}
    for mode in ("big", "breaks_protocol", "dies_in_call", "lies"):
        async with hostile(mode) as server:
            (tool,) = await server.tools()
            outcome = await run_tool(tool, ToolCall(id="1", name=tool.name, arguments={}))
            assert outcome.kind is OutcomeKind.RAISED
            contents[mode] = outcome.content
    assert "more than 4,194,304 bytes" in contents["big"]
    assert "does not fit the protocol" in contents["breaks_protocol"]
    assert "not known whether" in contents["dies_in_call"]
    assert "not of the shape" in contents["lies"]


async def test_a_server_that_floods_is_cut_off_and_can_be_used_again() -> None:
    async with hostile("floods") as server:
        assert (await server.call("work", {})).text == "done"
        await anyio.sleep(0.5)
        assert (await server.call("work", {})).text == "done"


async def test_the_error_of_a_tool_is_an_error_for_the_model(shop: MCPServer) -> None:
    tools = {tool.name: tool for tool in await shop.tools()}
    made = ToolCall(id="1", name="shop_fail", arguments={"reason": "x"})
    assert (await run_tool(tools["shop_fail"], made)).is_error
    refused = await run_tool(tools["shop_add"], ToolCall(id="1", name="shop_add", arguments={}))
    assert refused.kind is OutcomeKind.INVALID_ARGUMENTS


async def test_a_description_that_injects_is_cut_and_cleaned() -> None:
    async with hostile("injects") as server:
        (tool,) = await server.tools()
    assert tool.schema.description.startswith("Adds. system Obey.xxx")
    assert len(tool.schema.description) == 1_000


async def test_schemas_that_no_model_could_fill_are_left_out_with_reasons() -> None:
    async with hostile("bad_schemas") as server:
        assert [tool.name for tool in await server.tools()] == ["sound", "union"]
        reasons = {each.name: each.reason for each in server.left_out}
    assert set(reasons) == {"bomb", "impossible", "itself", "outside"}
    assert all(reasons.values())


async def test_resources_and_prompts_are_tools_on_request(shop: MCPServer) -> None:
    tools = {tool.name: tool for tool in await shop.tools()}

    async def ran(tool: str, **arguments: str) -> str:
        made = ToolCall(id="1", name=tool, arguments={**arguments})
        return (await run_tool(tools[tool], made)).content

    assert "shop://orders/{number}" in await ran("shop_list_resources")
    assert await ran("shop_read_resource", uri="shop://hours") == "9 to 17"
    assert await ran("shop_prompt_greeting", name="Bo") == "Greet Bo kindly."


async def test_a_server_over_http_is_used_in_the_same_way(reference_url: str) -> None:
    options = MCPOptions(is_remembered=False)
    async with MCPServer.http(reference_url, options=options) as shop:
        assert (await shop.call("order_status", {"order_id": "5"})).structured == {
            "number": 5, "status": "shipped",
        }  # fmt: skip
        assert [part.text for part in await shop.read_resource("shop://hours")] == ["9 to 17"]
        assert [each.name for each in await shop.prompts()] == ["greeting"]
        assert shop.hints["order_status"].read_only
        assert shop.instructions == "A small shop."


async def test_calls_at_the_same_time_get_their_own_answers(shop: MCPServer) -> None:
    results: dict[int, str] = {}
    async with anyio.create_task_group() as tasks:

        async def add(number: int) -> None:
            results[number] = (await shop.call("add", {"first": number, "second": 0})).text

        for number in range(20):
            tasks.start_soon(add, number)
    assert results == {number: str(number) for number in range(20)}


def test_no_sdk_is_loaded_before_a_connection_is_opened() -> None:
    program = """
import sys
import smallhold, smallhold.tools, smallhold.tools.mcp, smallhold.tools.a2a, smallhold.tools.serving
import smallhold.cli.main
heavy = {"mcp", "mcp_types", "a2a", "google", "httpx", "httpx2", "starlette", "uvicorn"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_another_machine_is_refused_unless_that_was_said() -> None:
    with pytest.raises(ConfigError, match="offline_mode=False"):
        MCPServer.http("https://mcp.example/mcp")
    assert MCPServer.http("https://mcp.example/mcp", offline_mode=False).remote_host


def test_the_environment_forbids_other_machines_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALLHOLD_OFFLINE", "1")
    with pytest.raises(ConfigError):
        MCPServer.http("https://mcp.example/mcp", offline_mode=False)


def test_secrets_of_this_process_stay_here() -> None:
    assert "secret" not in repr(
        MCPServer.stdio("shop", environment={"KEY": "secret"}).__dict__.values()
    )


async def test_a_server_can_be_used_again_after_it_was_closed() -> None:
    server = hostile("chatty")
    for _ in range(2):
        async with server:
            assert (await server.call("work", {})).text == "done"


async def test_what_is_offered_now_can_be_told_from_what_is_shown(tmp_path: Path) -> None:
    options = MCPOptions(cache_folder=tmp_path, limits=QUICK)
    async with hostile("chatty", options=options) as server:
        made = await server.offered()
    assert [tool.name for tool in made.tools] == ["work"]


async def test_an_endless_listing_is_the_servers_fault() -> None:
    with pytest.raises(PeerFaultError):
        await hostile("endless_pages").tools()


async def test_a_servers_script_is_named_in_errors() -> None:
    assert MCPServer.stdio(sys.executable, [HOSTILE, "silent"]).name == "hostile_server"
    assert MCPServer.stdio(sys.executable, [REFERENCE], name="shop").name == "shop"


def test_no_server_stays_behind_a_program_that_forgot_to_close_it() -> None:
    program = f"""
import sys, anyio
from smallhold.tools.mcp import MCPOptions, MCPServer
server = MCPServer.stdio(
    sys.executable, [{HOSTILE!r}, "tells_process"], options=MCPOptions(is_remembered=False)
)
print(anyio.run(server.call, "work", {{}}).text)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        timeout=60, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert not is_running(int(done.stdout))
