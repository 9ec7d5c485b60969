"""Promises of `smallhold.tools.mcp.serving`: this file holds tests with the SDK's own client."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent
from tests.tools.mcp.conftest import PEERS
from tests.tools.mcp.served import SHARED_WORD, served

from smallhold.agents import Agent, Config
from smallhold.testing import ScriptedRuntime
from smallhold.tools import tool
from smallhold.tools.mcp.serving import mcp_server

pytestmark = pytest.mark.anyio


@tool
def failing() -> str:
    """Fail."""
    raise ValueError("inside")


def text_of(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, TextContent))


async def called(client: Client, name: str, **arguments: Any) -> tuple[str, bool]:
    result = await client.call_tool(name, arguments)
    return text_of(result), result.is_error


@pytest.fixture(scope="module")
def desk_url() -> Generator[str]:
    """An agent served over HTTP, in a process of its own."""
    with served("mcp", "serve", "desk:agent", "--http", "0", token=SHARED_WORD) as url:
        yield url


async def test_the_sdks_client_uses_an_agent_over_stdio() -> None:
    address = StdioServerParameters(
        command=sys.executable, args=["-m", "smallhold", "mcp", "serve", "desk:make"], cwd=PEERS
    )
    with anyio.fail_after(60):
        async with Client(address) as client:
            assert client.server_info is not None
            assert client.server_info.name == "desk"
            listed = (await client.list_tools()).tools
            assert [each.name for each in listed] == ["ask", "order_status"]
            assert listed[1].input_schema["properties"] == {"order_id": {"type": "integer"}}
            answer, _ = await called(client, "ask", text="I am Bo.", session="a")
            assert answer.startswith("You said 'I am Bo.'")
            assert await called(client, "ask", text="who am I?", session="a") == (
                "You are Bo.", False,
            )  # fmt: skip
            assert await called(client, "ask", text="who am I?", session="b") == (
                "I do not know you.", False,
            )  # fmt: skip
            assert await called(client, "order_status", order_id=5) == (
                "order 5 is shipped", False,
            )  # fmt: skip


async def test_the_sdks_client_uses_an_agent_over_http(desk_url: str) -> None:
    headers = {"authorization": f"Bearer {SHARED_WORD}"}
    with anyio.fail_after(30):
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(desk_url, http_client=http)) as client,
        ):
            answer, is_error = await called(client, "ask", text="hello")
            assert (answer[:16], is_error) == ("You said 'hello'", False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Bearer {SHARED_WORD}", "host": "evil.example"}, 421),
        ({"authorization": f"Bearer {SHARED_WORD}", "origin": "https://evil.example"}, 403),
    ],
)
async def test_strangers_are_turned_away(
    desk_url: str, headers: dict[str, str], status: int
) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        request = http.build_request("POST", desk_url, headers=headers, content=b"{}")
        assert (await http.send(request)).status_code == status


async def test_what_goes_wrong_is_told_as_the_error_of_a_tool() -> None:
    runtime = ScriptedRuntime([])
    agent = Agent(Config(name="desk"), runtime=runtime, tools=[failing])
    async with Client(mcp_server(agent, name="desk"), mode="legacy") as client:
        assert await called(client, "failing") == ("ValueError: inside", True)
        answer, is_error = await called(client, "ask", text="")
        assert (answer[:20], is_error) == ("The message is empty", True)
        answer, is_error = await called(client, "ask", txt="hello")
        assert (answer, is_error) == ("argument `text`: is required but was left out", True)
        with pytest.raises(MCPError, match="there is no tool 'none'"):
            await client.call_tool("none", {})


async def test_an_agent_can_be_served_without_its_tools() -> None:
    agent = Agent(Config(name="desk"), runtime=ScriptedRuntime(["hi"]), tools=[failing])
    async with Client(mcp_server(agent, name="desk", only_ask=True)) as client:
        assert [each.name for each in (await client.list_tools()).tools] == ["ask"]
        with pytest.raises(MCPError):
            await client.call_tool("failing", {})
