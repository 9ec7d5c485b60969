"""The parent's handle on a worker: this file holds how its process is started and ended."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from typing import Final

import anyio.to_thread

from smallhold.engine.config import ModelConfig
from smallhold.engine.memory_limit import MEMORY_EXIT_STATUS
from smallhold.engine.watchdog import Watchdog, loading_limit_s
from smallhold.engine.wire import Load, encode_frame
from smallhold.exceptions import (
    EngineNotInstalledError,
    ModelLoadError,
    WorkerDiedError,
    WorkerHungError,
    WorkerMemoryError,
)

EXIT_WAIT_S: Final = 5.0
"""How long a worker may take from closing its sockets to having an exit status."""

_log = logging.getLogger(__name__)


class Ending(StrEnum):
    """Why the parent ended a worker itself."""

    CLOSED = "the engine was closed"
    HUNG = "it hung"


class BusyWorkerError(Exception):
    """So many requests have been handed over that no more can be, until some are taken."""


@dataclass(slots=True, kw_only=True, eq=False)
class WorkerProcess:
    """A worker that was started, whether or not it still runs."""

    config: ModelConfig
    process: subprocess.Popen[bytes]
    control: socket.socket
    """Requests' sockets go over it; the worker ends when it closes."""
    lifeline: socket.socket
    """Nothing is ever written here: the worker is killed when it closes."""
    watchdog: Watchdog
    ending: Ending | None = None
    refusal: ModelLoadError | None = None
    """Why it could not load its model."""
    _is_loaded: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_running(self) -> bool:
        """Whether the process has no exit status yet."""
        return self.process.poll() is None

    @property
    def is_given_up(self) -> bool:
        """Whether the parent has ended it; what was sent to it is not sent again."""
        return self.ending is not None or self.refusal is not None

    @property
    def is_loaded(self) -> bool:
        """Whether it has said that its model is loaded."""
        with self._lock:
            if not self._is_loaded and self.control.fileno() >= 0:
                with suppress(OSError):
                    self._is_loaded = self.control.recv(1) != b""
            return self._is_loaded

    def hand_over(self, theirs: socket.socket) -> None:
        """Pass one end of a request's socket to the worker.

        Raises:
            BusyWorkerError: it has not taken the ones before.
            OSError: it is gone.
        """
        try:
            socket.send_fds(self.control, [b"r"], [theirs.fileno()])
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.ETOOMANYREFS}:
                raise BusyWorkerError from error
            raise

    def end(self, ending: Ending) -> None:
        """Kill the process.

        Args:
            ending: What its requests are told.
        """
        self.ending = self.ending or ending
        self.process.kill()
        self.dismiss()

    def dismiss(self) -> None:
        """Let it end by itself, or kill it if it does not in time."""
        with self._lock:
            self.control.close()
        self.lifeline.close()
        for _ in range(2):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(EXIT_WAIT_S)
                return
            self.process.kill()

    async def exit(self, *, limit_s: float) -> None:
        """Wait for the process to end, but not for ever."""

        def wait() -> None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(limit_s)

        if self.is_running:
            await anyio.to_thread.run_sync(wait, abandon_on_cancel=True)

    async def death(self) -> WorkerDiedError | ModelLoadError:
        """Say why a request's socket closed; waits a moment for the exit status."""
        if self.refusal is not None:
            return ModelLoadError(path=self.refusal.path, problem=self.refusal.problem)
        await self.exit(limit_s=EXIT_WAIT_S)
        error = worker_death(self.config, status=self.process.poll(), ending=self.ending)
        _log.error("engine.worker_died", extra={"model": self.config.name, "cause": error.cause})
        return error


def worker_death(
    config: ModelConfig, *, status: int | None, ending: Ending | None
) -> WorkerDiedError:
    """Choose the error for requests whose worker is gone.

    Args:
        config: Which model it held.
        status: Exit status as `exit_cause` takes it.
        ending: Why the parent ended it, `None` if it did not.
    """
    if ending is Ending.HUNG:
        cause = f"it did not compute one token within {config.hang_timeout_s:g} s"
        return WorkerHungError(model=config.name, cause=cause)
    if ending is Ending.CLOSED:
        return WorkerDiedError(model=config.name, cause=str(ending))
    if status == MEMORY_EXIT_STATUS:
        return WorkerMemoryError(model=config.name, cause="it ran out of memory")
    return WorkerDiedError(model=config.name, cause=exit_cause(status))


def exit_cause(status: int | None) -> str:
    """Say in words how a process ended.

    Args:
        status: Exit status; negative is the number of the signal that killed it, `None` means that
            it still runs.
    """
    if status is None:
        return "it closed the connection"
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"killed by signal {-status}"
    hint = _SIGNAL_HINTS.get(name)
    return f"killed by {name}" if hint is None else f"killed by {name} ({hint})"


_SIGNAL_HINTS: Final = {
    "SIGKILL": "the system does this when memory runs out",
    "SIGABRT": "native code does this when it cannot go on, such as without memory",
}


def start_worker(config: ModelConfig, *, environ: Mapping[str, str]) -> WorkerProcess:
    """Start a worker and tell it what to load.

    Raises:
        EngineNotInstalledError: the native part is missing.
        ModelLoadError: there is no such file.
    """
    _require_native()
    if not config.path.is_file():
        raise ModelLoadError(path=str(config.path), problem="there is no such file")
    load = encode_frame(Load(config=config))
    watchdog = Watchdog(
        hang_timeout_s=config.hang_timeout_s,
        loading_limit_s=loading_limit_s(config.path.stat().st_size),
        now_s=time.monotonic(),
    )
    control, theirs = socket.socketpair()
    lifeline, held = socket.socketpair()
    with ExitStack() as unless_started:
        unless_started.enter_context(control)
        unless_started.enter_context(lifeline)
        with theirs, held:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "smallhold.engine.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=held.fileno(),
                stdout=subprocess.DEVNULL,
                env=environ,
                # A terminal's Ctrl-C belongs to the parent, which cancels in order.
                start_new_session=True,
            )
        unless_started.callback(process.wait)
        unless_started.callback(process.kill)
        control.sendall(load)
        control.settimeout(0.0)
        unless_started.pop_all()
    _log.info("engine.worker_started", extra={"model": config.name, "pid": process.pid})
    return WorkerProcess(
        config=config, process=process, control=control, lifeline=lifeline, watchdog=watchdog
    )


def _require_native() -> None:
    for module in ("llama_cpp", "llguidance", "numpy"):
        if find_spec(module) is None:
            raise EngineNotInstalledError(missing=module)
