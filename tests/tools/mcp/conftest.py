"""What tests of MCP share: this file holds real servers, sound and hostile, as processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from smallhold.tools.mcp import MCPLimits, MCPOptions, MCPServer

PEERS: Final = Path(__file__).parent / "peers"
REFERENCE: Final = str(PEERS / "reference_server.py")
HOSTILE: Final = str(PEERS / "hostile_server.py")
FORGETFUL: Final = MCPOptions(is_remembered=False)
QUICK: Final = MCPLimits(connect_s=5.0, call_s=3.0)


def hostile(
    mode: str, *, limits: MCPLimits = QUICK, options: MCPOptions | None = None
) -> MCPServer:
    """A server that breaks the rules in one way; see `peers/hostile_server.py`."""
    chosen = options or MCPOptions(is_remembered=False, limits=limits)
    return MCPServer.stdio(sys.executable, [HOSTILE, mode], name=mode, options=chosen)


def reference(*, notes: Path | None = None, options: MCPOptions = FORGETFUL) -> MCPServer:
    """A server written with the SDK alone, over stdio."""
    environment = {} if notes is None else {"NOTES": str(notes)}
    return MCPServer.stdio(
        sys.executable, [REFERENCE, "stdio"], environment=environment, name="shop", options=options
    )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server has ended"
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the server does not listen")


def is_running(process_id: int) -> bool:
    """Whether a process is there and not merely unburied."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


@pytest.fixture(scope="session")
def reference_url() -> Generator[str]:
    """The reference server over HTTP, in a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, REFERENCE, "http", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()
