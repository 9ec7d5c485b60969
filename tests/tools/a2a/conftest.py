"""What tests of A2A share: this file holds agents of the SDK as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.tools.mcp.conftest import free_port, wait_for_port
from tests.tools.mcp.served import SHARED_WORD, served

AGENT = str(Path(__file__).parent / "peers" / "reference_agent.py")


@contextmanager
def agent_process(*arguments: str) -> Generator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, AGENT, str(port), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def manners_url() -> Generator[str]:
    """An agent of the SDK alone, in a process of its own."""
    with agent_process() as url:
        yield url


@pytest.fixture(scope="session")
def desk_url() -> Generator[str]:
    """An agent of ours, served in a process of its own."""
    with served("a2a", "serve", "desk:agent") as url:
        yield url


@pytest.fixture(scope="session")
def guarded_url() -> Generator[str]:
    """An agent of ours that asks for a token."""
    with served("a2a", "serve", "desk:agent", token=SHARED_WORD) as url:
        yield url
