"""The process that holds a model: this file holds its main loop.

The control socket brings first how to load the model, then one socket for each request. When it
closes, the parent is gone or done with the model, and the process ends at once, also in the middle
of a pass: the intake's thread waits for that. A model that cannot be loaded is refused to everybody
who asks, until the parent closes.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final, NoReturn

from smallhold.engine.config import ModelConfig
from smallhold.engine.dispatch import begin, internal_error
from smallhold.engine.frames import PeerGoneError, read_frame
from smallhold.engine.intake import Intake, IntakeLimits
from smallhold.engine.lifeline import end_with
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.memory_limit import (
    MEMORY_EXIT_STATUS,
    lift_memory_limit,
    limit_memory,
    volunteer_for_oom_killer,
)
from smallhold.engine.outbox import Outboxes
from smallhold.engine.wire import decode_load
from smallhold.exceptions import ModelLoadError, SmallholdError, WorkerMemoryError

_LOADED: Final = b"L"
"""Sent on the control socket once requests can be computed."""
_STALLED_WAIT_S: Final = 0.02
"""Between two looks at deadlines while no request can go on."""
_REST_S: Final = 0.5
"""Between the last request and work beforehand, some of which takes as long."""
_FAREWELL_S: Final = 1.0
"""For telling everybody that the process ends."""
_FAULT_EXIT_STATUS: Final = 1
_STDIN: Final = 0


class Service:
    """Takes requests, has them computed, and sends the replies."""

    def __init__(self, config: ModelConfig, intake: Intake) -> None:
        self._config = config
        self._intake = intake
        self._outboxes = Outboxes()
        self._is_rested = False

    def serve(self, loaded: LoadedModel) -> NoReturn:
        """Answer requests until the process ends."""
        try:
            while True:
                self._turn(loaded)
        except MemoryError:
            self.end_without_memory(loaded.scheduler.fail_all)
        except Exception as error:  # noqa: BLE001 - reported to all requests, and logged
            self._end(internal_error(error), loaded.scheduler.fail_all, _FAULT_EXIT_STATUS)

    def refuse(self, error: SmallholdError) -> NoReturn:
        """Tell everybody why the model could not be loaded, until the process ends."""
        try:
            while True:
                self._fail_new(error)
                self._outboxes.flush()
                self._sleep()
        except MemoryError:
            self.end_without_memory()

    def end_without_memory(
        self, fail_begun: Callable[[SmallholdError], None] = lambda _: None
    ) -> NoReturn:
        """Tell everybody that memory has run out, and end the process."""
        lift_memory_limit()
        cause = "it could not get the memory it needed"
        error = WorkerMemoryError(model=self._config.name, cause=cause)
        self._end(error, fail_begun, MEMORY_EXIT_STATUS)

    def _turn(self, loaded: LoadedModel) -> None:
        while (job := self._intake.take()) is not None:
            self._is_rested = False
            begin(loaded, job, self._outboxes.open(job.connection))
        if loaded.scheduler.is_idle:
            self._outboxes.flush()
            self._rest(loaded)
            return
        self._is_rested = False
        has_computed = loaded.scheduler.run_pass()
        self._outboxes.flush()
        if not has_computed and not loaded.scheduler.is_idle:
            self._sleep(limit_s=_STALLED_WAIT_S)

    def _rest(self, loaded: LoadedModel) -> None:
        """Do what can be done beforehand, but not while the next request may be on its way."""
        if not self._is_rested:
            begun_s = time.monotonic()
            self._sleep(limit_s=_REST_S)
            self._is_rested = time.monotonic() - begun_s >= _REST_S
        elif not loaded.idle_work():
            self._sleep()

    def _sleep(self, *, limit_s: float | None = None) -> None:
        self._outboxes.wait(self._intake.bell, limit_s=limit_s)
        self._intake.hush()

    def _fail_new(self, error: SmallholdError) -> None:
        while (job := self._intake.take()) is not None:
            outbox = self._outboxes.open(job.connection)
            outbox.fail(error)
            outbox.close()

    def _end(
        self, error: SmallholdError, fail_begun: Callable[[SmallholdError], None], status: int
    ) -> NoReturn:
        try:
            fail_begun(error)
            self._fail_new(error)
            self._outboxes.drain(limit_s=_FAREWELL_S)
        finally:
            os._exit(status)


def run(control: socket.socket) -> NoReturn:
    """Serve requests until the control socket closes, which ends the process.

    Raises:
        PeerGoneError: the parent is gone before it has said what to load.
    """
    config = decode_load(read_frame(control)).config
    # While the model loads, as many may wait as may later on.
    most = config.queue_limit + config.concurrent_requests
    intake = Intake(control, IntakeLimits(jobs=most))
    threading.Thread(target=_take_in, args=(intake,), daemon=True).start()
    volunteer_for_oom_killer()
    if config.memory_limit_bytes is not None:
        limit_memory(config.memory_limit_bytes)
    service = Service(config, intake)
    with ExitStack() as stack:
        try:
            loaded = LoadedModel(config, stack=stack)
        except MemoryError:
            service.end_without_memory()
        except Exception as error:  # noqa: BLE001 - reported to all requests
            refusal = _load_error(config, error)
            stack.close()
            service.refuse(refusal)
        control.send(_LOADED)
        service.serve(loaded)


def _load_error(config: ModelConfig, error: Exception) -> SmallholdError:
    if isinstance(error, SmallholdError):
        return error
    return ModelLoadError(path=str(config.path), problem=internal_error(error).problem)


def _take_in(intake: Intake) -> None:
    status = _FAULT_EXIT_STATUS
    try:
        intake.serve()
        status = 0
    finally:
        # No clean-up: the main thread may be inside a pass of several seconds.
        os._exit(status)


def main() -> None:
    """Start on the control socket whose descriptor is the only argument."""
    end_with(_STDIN)
    # A parent that is gone before it has said what to load wants nothing more.
    with suppress(PeerGoneError):
        run(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
