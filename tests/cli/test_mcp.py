"""Promises of `smallhold.cli.mcp`: this file holds tests of `smallhold mcp ...`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from tests.tools.mcp.conftest import HOSTILE, PEERS
from tests.tools.mcp.served import served

from smallhold.tools.mcp import MCPOptions, MCPServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine, Program

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember nothing beyond a test."""
    monkeypatch.setenv("SMALLHOLD_CACHE", str(tmp_path))


def test_the_tools_of_a_server_are_listed(command_line: CommandLine) -> None:
    shown = command_line("mcp", "tools", sys.executable, HOSTILE, "injects")
    assert shown.exit_code == 0
    assert "add" in shown.stdout
    assert "<|im_end|>" not in shown.stdout


def test_the_listing_is_json_for_programs(command_line: CommandLine) -> None:
    words = (sys.executable, HOSTILE, "lies")
    shown = command_line("mcp", "tools", "--json", "--name", "shop", *words)
    document = json.loads(shown.stdout)
    assert document["server"] == "shop"
    assert document["tools"][0]["name"] == "count"


def test_a_server_that_cannot_be_used_is_a_failure(command_line: CommandLine) -> None:
    failed = command_line("mcp", "tools", sys.executable, HOSTILE, "exits")
    assert failed.exit_code == 1
    assert "exit code 7" in failed.stderr


def test_another_machine_has_to_be_allowed(command_line: CommandLine) -> None:
    refused = command_line("mcp", "tools", "https://mcp.example/mcp")
    assert refused.exit_code == 2
    assert "offline" in refused.stderr


async def test_an_agent_is_served_over_http_and_ends_quietly() -> None:
    with served("mcp", "serve", "desk:agent", "--http", "0", "--only-ask") as url:
        async with MCPServer.http(url, options=MCPOptions(is_remembered=False)) as desk:
            assert [tool.name for tool in await desk.tools()] == ["ask"]
            answer = await desk.call("ask", {"text": "hello"})
    assert answer.text.startswith("You said 'hello'")


@pytest.mark.parametrize("arguments", [("desk:nothing",), ("desk:agent", "--http", "192.0.2.1:0")])
def test_what_cannot_be_served_is_refused(
    program: Program, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PEERS)
    refused = program("mcp", "serve", *arguments, environ={"SMALLHOLD_SERVER_TOKEN": ""})
    assert refused.returncode == 2
    assert refused.stdout == ""
