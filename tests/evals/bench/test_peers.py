"""Promises of `smallhold.evals.bench.peers`: this file holds tests of peers' processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import anyio
import pytest

from smallhold.evals.bench.peers import (
    BARE_LOOP,
    LLAMA_CPP_PYTHON,
    LLAMA_SERVER,
    SCRIPTS,
    PeerProcess,
    PeerScript,
    PeerSettings,
)
from smallhold.exceptions import ModelOutputError

pytestmark = pytest.mark.anyio

SETTINGS = PeerSettings(model="m.gguf", threads=2, context_tokens=512)
ECHO = """
import json, sys
print(json.dumps({"settings": json.loads(sys.argv[1])}), flush=True)
for line in sys.stdin:
    print(json.dumps({"echo": json.loads(line)}), flush=True)
"""
FAILING = 'print(\'{"error": "no memory"}\', flush=True)'
DEAF = "import time\nprint('{}', flush=True)\ntime.sleep(60)"

MakeProcess: TypeAlias = Callable[[str], PeerProcess]


@pytest.fixture
def process_of(tmp_path: Path) -> MakeProcess:
    def make(source: str) -> PeerProcess:
        (tmp_path / "peer.py").write_text(source, "utf-8")
        script = PeerScript(name="some-peer", file="peer.py", module="json")
        return PeerProcess(script, SETTINGS, scripts=tmp_path)

    return make


@pytest.mark.parametrize("script", [LLAMA_SERVER, LLAMA_CPP_PYTHON, BARE_LOOP])
def test_a_checkout_has_the_script_of_every_peer(script: PeerScript) -> None:
    assert (SCRIPTS / script.file).is_file()


def test_a_peer_without_its_script_is_missing(tmp_path: Path) -> None:
    assert "checkout" in (LLAMA_CPP_PYTHON.missing(tmp_path) or "")


def test_a_peer_without_its_module_is_missing(tmp_path: Path) -> None:
    (tmp_path / "peer.py").touch()
    script = PeerScript(name="p", file="peer.py", module="no_such_module_here")
    assert script.missing(tmp_path) == "the module no_such_module_here is not installed"


def test_a_peer_with_both_can_take_part(tmp_path: Path) -> None:
    (tmp_path / "peer.py").touch()
    assert PeerScript(name="p", file="peer.py", module="json").missing(tmp_path) is None


async def test_a_peer_is_given_its_settings_and_answers_lines(process_of: MakeProcess) -> None:
    process = process_of(ECHO)
    ready = await process.start()
    await process.send({"prompt": "é"})
    reply = await process.receive()
    await process.stop()
    assert ready["settings"]["context_tokens"] == 512
    assert reply == {"echo": {"prompt": "é"}}


async def test_a_peer_can_be_started_again(process_of: MakeProcess) -> None:
    process = process_of(ECHO)
    for _ in range(2):
        assert "settings" in await process.start()
        await process.stop()


async def test_an_error_of_the_peer_is_raised_with_its_name(process_of: MakeProcess) -> None:
    process = process_of(FAILING)
    with pytest.raises(ModelOutputError, match=r"some-peer.*no memory"):
        await process.start()
    await process.stop()


async def test_a_peer_that_ends_is_an_error(process_of: MakeProcess) -> None:
    process = process_of("")
    with pytest.raises(ModelOutputError, match="it has ended"):
        await process.start()
    await process.stop()


async def test_a_peer_that_was_not_started_is_an_error(process_of: MakeProcess) -> None:
    process = process_of(ECHO)
    with pytest.raises(ModelOutputError, match="not been started"):
        await process.send({})
    with pytest.raises(ModelOutputError, match="not been started"):
        await process.receive()


async def test_a_peer_that_does_not_listen_is_ended(process_of: MakeProcess) -> None:
    process = process_of(DEAF)
    await process.start()
    with anyio.fail_after(10):
        await process.stop(wait_s=0.1)
