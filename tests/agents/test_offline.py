"""Promises about the network: nothing of the embedded path opens a socket to the outside."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Python runs this at its start, in the worker too: both inherit `PYTHONPATH`.
GUARD = """
import os, socket, sys

def refuse(event, args):
    family = args[1] if event == "socket.__new__" else None
    if family in (socket.AF_INET, socket.AF_INET6) or event == "socket.getaddrinfo":
        with open(os.environ["GUARD_LOG"], "a") as log:
            print(event, args, file=log)
        raise PermissionError(f"the test forbids {event}")
    if event == "socket.__new__":
        with open(os.environ["GUARD_LOG"] + ".local", "a") as log:
            print(os.getpid(), family, file=log)

sys.addaudithook(refuse)
"""
TALK = """
import sys
from smallhold import Agent, Config
agent = Agent(Config(name="kiosk", model_id=sys.argv[1], max_tokens=8, role="You serve a shop."))

@agent.tool
def stock(product: str) -> int:
    \"\"\"Count a product in the shop.\"\"\"
    return 3

try:
    result = agent.chat("How many lamps are left?", session="a")
    print(len(result) > 0)
    print(agent.runtime.worker_pid)
finally:
    agent.close()
"""
REACHES_OUT = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"


def guarded(program: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(GUARD, "utf-8")
    environ = os.environ | {
        "PYTHONPATH": str(folder),
        "GUARD_LOG": str(folder / "log"),
        "SMALLHOLD_CACHE": str(folder / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_talk_with_a_model_on_this_machine_opens_no_socket_to_anywhere(
    smollm2_path: Path, tmp_path: Path
) -> None:
    done = guarded(TALK, str(smollm2_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    answered, worker = done.stdout.split()
    assert answered == "True"
    assert not (tmp_path / "log").exists(), (tmp_path / "log").read_text()
    # The worker was watched as well: its own socket to us is in the log of local ones.
    assert worker.isdecimal()
    watched = (tmp_path / "log.local").read_text().split()
    assert worker in watched


def test_the_guard_of_this_file_notices_a_connection(tmp_path: Path) -> None:
    done = guarded(REACHES_OUT, folder=tmp_path)
    assert done.returncode != 0
    assert "the test forbids" in done.stderr
    assert (tmp_path / "log").exists()


@pytest.mark.parametrize("name", ["Agent", "Config", "tool"])
def test_importing_a_public_name_opens_no_socket_to_anywhere(name: str, tmp_path: Path) -> None:
    done = guarded(f"from smallhold import {name}", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "log").exists()
