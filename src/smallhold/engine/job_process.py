"""The parent's side of a job: this file holds how its process is started, followed and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import BinaryIO, Final, TypeAlias

import msgspec

from smallhold.engine.client import worker_environment
from smallhold.engine.frames import PeerGoneError, read_frame
from smallhold.engine.job import (
    Job,
    JobFailed,
    JobProgress,
    JobReply,
    decode_job_reply,
    encode_job,
)
from smallhold.engine.worker_process import exit_cause
from smallhold.exceptions import EngineNotInstalledError

SILENCE_LIMIT_S: Final = 1800.0
"""The longest that a job may take between two signs of life. The largest tensors of models below
10 billion weights take minutes in the slowest types on two cores."""
_EXIT_WAIT_S: Final = 5.0
_STDERR_CHARS: Final = 300

OnProgress: TypeAlias = Callable[[JobProgress], None]


def run_job(
    job: Job,
    *,
    on_progress: OnProgress = lambda _: None,
    silence_limit_s: float = SILENCE_LIMIT_S,
) -> JobReply:
    """Have a job done in a process of its own, and wait for it.

    The process is killed when this call is left in any other way, such as by Ctrl-C.

    Args:
        job: What to do.
        on_progress: Called in this thread.
        silence_limit_s: A job that says nothing for so long is ended.

    Returns:
        The last reply; `JobFailed` if the process ended without one.

    Raises:
        EngineNotInstalledError: the native part is missing.
    """
    _require_native()
    with ExitStack() as stack:
        ours, theirs = socket.socketpair()
        lifeline, held = socket.socketpair()
        stack.enter_context(ours)
        stack.enter_context(lifeline)
        complaints = stack.enter_context(tempfile.TemporaryFile())
        with theirs, held:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "smallhold.engine.job_worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=held.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env=worker_environment(os.environ),
                start_new_session=True,
            )
        stack.callback(process.wait)
        stack.callback(process.kill)
        ours.settimeout(silence_limit_s)
        try:
            ours.sendall(encode_job(job))
            while isinstance(reply := decode_job_reply(read_frame(ours)), JobProgress):
                on_progress(reply)
        except TimeoutError:
            return JobFailed(f"it made no progress for {silence_limit_s:,.0f} s")
        except (PeerGoneError, OSError, msgspec.DecodeError):
            return JobFailed(f"its process ended: {_end(process)}{_last_words(complaints)}")
        return reply


def _end(process: subprocess.Popen[bytes]) -> str:
    try:
        return exit_cause(process.wait(_EXIT_WAIT_S))
    except subprocess.TimeoutExpired:
        return exit_cause(None)


def _last_words(complaints: BinaryIO) -> str:
    """What native code wrote before it aborted, which it does not say in any other way."""
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").strip().splitlines()
    return f" ({lines[-1][:_STDERR_CHARS]})" if lines else ""


def _require_native() -> None:
    for module in ("llama_cpp", "numpy"):
        if find_spec(module) is None:
            raise EngineNotInstalledError(missing=module)
