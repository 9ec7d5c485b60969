from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time

import pytest

BUSY = """
from smallhold.engine.lifeline import end_with
end_with(0)
print("ready", flush=True)
1 << 10**9  # warms up what follows
pow(3, 10**8)  # one call into C, which holds the interpreter for minutes
"""

IDLE = """
import sys
from smallhold.engine.lifeline import end_with
end_with(0)
print("ready", flush=True)
print(repr(sys.stdin.readline()), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals this")
def test_a_process_that_holds_the_interpreter_ends_with_its_parent() -> None:
    ours, theirs = socket.socketpair()
    with (
        ours,
        subprocess.Popen(
            [sys.executable, "-c", BUSY], stdin=theirs.fileno(), stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        theirs.close()
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        assert process.poll() is None
        begun_s = time.monotonic()
        ours.close()
        assert process.wait(timeout=10) == -signal.SIGIO
        assert time.monotonic() - begun_s < 2


def test_an_input_that_is_no_socket_is_left_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IDLE], input="typed\n", capture_output=True, text=True, timeout=20,
        check=True,
    )  # fmt: skip
    assert done.stdout == "ready\n'typed\\n'\n"
