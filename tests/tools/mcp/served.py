"""Our own servers as processes: this file holds how tests start one and find its address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tests.tools.mcp.conftest import PEERS

SHARED_WORD = "a-token-of-many-characters"


@contextmanager
def served(*arguments: str, token: str = "") -> Generator[str]:
    """Run `smallhold ...` beside `peers/desk.py`, and hand out the address that it tells."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "smallhold", *arguments],
        cwd=PEERS,
        env={**os.environ, "SMALLHOLD_SERVER_TOKEN": token},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        told = ""
        while "serving" not in told:
            told = process.stderr.readline()
            assert told, "the server has ended"
        yield told.split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
