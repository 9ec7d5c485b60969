from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from smallhold.agents import Agent, Config, blocking
from smallhold.exceptions import DecodeError
from smallhold.testing import Fault, ScriptedRuntime, call

LIMIT_S = 60.0
"""Far above what a start of Python takes on a busy machine, far below the scripted delays."""

ONE_CHAT = """
import signal
from smallhold import Agent, Config
from smallhold.testing import Delay, ScriptedRuntime, call

# A shell that starts tests in the background lets them ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

def knock() -> str:
    \"\"\"Knock at the door.\"\"\"
    print("under way", flush=True)
    return "nobody"

script = [call("knock"), Delay(seconds=600), "There you are."]
agent = Agent(Config(name="door", timeout=900), runtime=ScriptedRuntime(script), tools=[knock])
"""
INTERRUPTED = f"{ONE_CHAT}\nagent.chat('Knock', session='door')\n"
GOES_ON = f"""{ONE_CHAT}
try:
    agent.chat("Knock", session="door")
except KeyboardInterrupt:
    print(agent.chat("Anybody?", session="door"))
"""
LETS_GO = """
import signal
import anyio
from smallhold.agents import blocking

signal.signal(signal.SIGINT, signal.default_int_handler)

async def hold():
    print("under way", flush=True)
    try:
        await anyio.sleep(600)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.3)
        print("let go")

try:
    blocking.call(hold)
except KeyboardInterrupt:
    print("interrupted")
"""


def plain_agent(*script: str | Fault) -> Agent:
    return Agent(Config(name="plain"), runtime=ScriptedRuntime(script))


def after_interrupt(program: str) -> tuple[int, str, str]:
    """Run a program, press Ctrl-C once it says that it is under way, and wait for its end."""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "under way\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        try:
            rest, errors = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, rest, errors


async def test_it_works_while_the_caller_s_own_event_loop_is_busy() -> None:
    """As in a notebook, whose loop runs the cell."""
    assert plain_agent("answer").chat("Hello") == "answer"


def test_it_works_from_many_threads_at_once() -> None:
    agent = plain_agent(*[f"answer {number}" for number in range(24)])
    with ThreadPoolExecutor(8) as threads:
        pending = [threads.submit(agent.chat, "Hello", session=str(n)) for n in range(24)]
        answers = [future.result() for future in pending]
    assert sorted(answers) == sorted(f"answer {number}" for number in range(24))


def test_all_threads_share_one_event_loop_in_one_thread() -> None:
    async def where() -> int:
        await anyio.lowlevel.checkpoint()
        return threading.get_ident()

    with ThreadPoolExecutor(4) as threads:
        places = {threads.submit(blocking.call, where).result() for _ in range(8)}
    assert len(places) == 1
    assert threading.get_ident() not in places


def test_arguments_and_the_value_pass_through() -> None:
    async def join(first: str, *, second: str) -> str:
        await anyio.lowlevel.checkpoint()
        return first + second

    assert blocking.call(join, "a", second="b") == "ab"


def test_an_error_of_smallhold_passes_through_unchanged() -> None:
    error = DecodeError(problem="the cable is out")
    with pytest.raises(DecodeError) as caught:
        plain_agent(Fault(error=error)).chat("Hello")
    assert caught.value is error


def test_any_other_error_passes_through_unchanged_and_the_door_stays_open() -> None:
    error = ZeroDivisionError("by nought")

    async def fail() -> None:
        await anyio.lowlevel.checkpoint()
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        blocking.call(fail)
    assert caught.value is error
    assert plain_agent("answer").chat("Hello") == "answer"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_error_that_ends_programs_passes_through_and_the_door_stays_open(
    kind: type[BaseException],
) -> None:
    async def fail() -> None:
        await anyio.lowlevel.checkpoint()
        raise kind

    with pytest.raises(kind):
        blocking.call(fail)
    assert plain_agent("answer").chat("Hello") == "answer"


def test_a_synchronous_tool_may_ask_another_agent() -> None:
    other = plain_agent("Three lamps.")

    def ask_stock(question: str) -> str:
        """Ask the stock keeper."""
        return other.chat(question)

    script = [call("ask_stock", question="lamps"), "We have three."]
    agent = Agent(Config(name="desk"), runtime=ScriptedRuntime(script), tools=[ask_stock])
    assert agent.chat("How many lamps?") == "We have three."


def test_a_tool_that_would_wait_for_its_own_event_loop_fails_instead_of_hanging() -> None:
    other = plain_agent("never")

    async def ask_stock(question: str) -> str:
        """Ask the stock keeper."""
        await anyio.lowlevel.checkpoint()
        return other.chat(question)

    script = [call("ask_stock", question="lamps"), "I cannot ask."]
    agent = Agent(Config(name="desk"), runtime=ScriptedRuntime(script), tools=[ask_stock])
    result = blocking.call(agent.run, "How many lamps?")
    assert isinstance(result.steps[0].error, RuntimeError)
    assert result.text == "I cannot ask."


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a single process")
def test_ctrl_c_ends_a_chat_promptly_with_keyboard_interrupt() -> None:
    started_s = time.monotonic()
    status, _, errors = after_interrupt(INTERRUPTED)
    assert status == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert time.monotonic() - started_s < LIMIT_S


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a single process")
def test_after_ctrl_c_the_same_session_can_go_on() -> None:
    status, output, errors = after_interrupt(GOES_ON)
    assert (status, output, errors) == (0, "There you are.\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a single process")
def test_ctrl_c_waits_until_the_cancelled_work_has_let_go_of_what_it_held() -> None:
    assert after_interrupt(LETS_GO) == (0, "let go\ninterrupted\n", "")
