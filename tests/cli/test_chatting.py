"""Promises of `smallhold.cli.chatting`: this file holds tests of conversations at the terminal."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import anyio
import psutil
import pytest

from smallhold.agents import Agent, Config
from smallhold.cli.chatting import hold_chat
from smallhold.exceptions import InvalidMessageError
from smallhold.messages import Role
from smallhold.state import State
from smallhold.testing import ScriptedRuntime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Program

WAIT_S = 60.0
LONG_TASK = b"Write a very long story about a lighthouse, with many chapters.\n"


def chat(runtime: ScriptedRuntime, text: str) -> None:
    hold_chat(Agent(Config(name="chat"), runtime=runtime), stdin=io.StringIO(text))


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)


def test_a_kept_conversation_goes_on_another_day(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    for text, answer in (("Hello\nAgain\n", ["Hi.", "Hi again."]), ("Thanks\n", ["Bye."])):
        agent = Agent(Config(name="chat"), runtime=ScriptedRuntime(answer), state=State(place))
        hold_chat(agent, stdin=io.StringIO(text), session="kiosk")
    messages = anyio.run(kept, place)
    assert messages == ["Hello", "Hi.", "Again", "Hi again.", "Thanks", "Bye."]


async def kept(place: Path) -> list[str]:
    state = State(place)
    try:
        return [message.content for message in await state.sessions.conversation("kiosk")]
    finally:
        await state.aclose()


def test_each_line_of_a_pipe_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    chat(ScriptedRuntime(["Good day.", "Lamps."]), "Hello\n\n   \nWhat do you sell?")
    assert capsys.readouterr().out == "Good day.\nLamps.\n"


def test_lines_are_one_conversation() -> None:
    runtime = ScriptedRuntime(["Good day.", "Lamps."])
    chat(runtime, "Hello\nWhat do you sell?\n")
    messages = runtime.requests[-1].prompt.messages
    assert [m.content for m in messages if m.role is not Role.SYSTEM] == [
        "Hello",
        "Good day.",
        "What do you sell?",
    ]


def test_an_empty_pipe_ends_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    chat(ScriptedRuntime(), "")
    assert capsys.readouterr().out == ""


def test_an_error_ends_a_piped_conversation() -> None:
    runtime = ScriptedRuntime(["Good day."])
    with pytest.raises(InvalidMessageError):
        chat(runtime, f"{'a' * 1_000_000}\nHello\n")
    assert runtime.requests == []


def test_ctrl_c_in_an_answer_ends_program_and_worker(smollm2_path: Path, program: Program) -> None:
    command = program.command("chat", "--model", str(smollm2_path))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(LONG_TASK)
        process.stdin.flush()
        assert process.stdout.read(1)
        workers = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        status = process.wait(WAIT_S)
        notes = process.stderr.read().decode()
    assert status == 130
    assert "Traceback" not in notes
    assert len(workers) == 1
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive


def test_ctrl_d_ends_a_conversation_at_a_terminal(smollm2_path: Path, program: Program) -> None:
    ours, theirs = pty.openpty()
    shown = bytearray()

    def prompts() -> int:
        shown.extend(os.read(ours, 4096))
        return shown.count(b"> ")

    with subprocess.Popen(
        program.command("chat", "--model", str(smollm2_path)),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        until(lambda: prompts() == 1)
        os.write(ours, b"Say hello.\n")
        until(lambda: prompts() == 2)
        os.write(ours, b"\x04")
        assert process.wait(WAIT_S) == 0
    os.close(ours)
    assert b"Ctrl-D ends the conversation" in shown
