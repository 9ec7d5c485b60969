"""The parent's side of a worker process: this file holds the engine that callers use.

Each request gets a socket of its own, made by the caller's task in the caller's event loop, so any
number of loops and threads may use one engine, no background task exists, and cancelling the task
closes the socket, which stops the worker within one forward pass.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Final

import anyio
import msgspec

from smallhold.engine.config import ModelConfig
from smallhold.engine.link import BrokenFrameError, Link, LinkLostError, open_link
from smallhold.engine.watchdog import Advice
from smallhold.engine.wire import (
    LENGTH,
    MAX_FRAME_BYTES,
    Canary,
    Command,
    Failed,
    Reply,
    decode_reply,
    encode_frame,
    from_failed,
)
from smallhold.engine.worker_process import (
    BusyWorkerError,
    Ending,
    WorkerProcess,
    start_worker,
)
from smallhold.exceptions import ModelLoadError, UnsupportedFeatureError, WorkerDiedError

SPIN_COUNT: Final = "10000"
"""Turns a waiting thread spins before it sleeps, about 20 microseconds."""
_BUSY_WAIT_S: Final = 0.02
_EXIT_GRACE_S: Final = 1.0
"""A worker whose sockets closed is about to exit; one that stays has only dropped the request."""
_LATE_ANSWER_S: Final = 1.0
"""For an answer that has come, but that an event loop which was blocked has not seen."""

_log = logging.getLogger(__name__)


class Engine:
    """A model in a worker process of its own, started at the first request.

    Safe to use from several threads and event loops. A worker that died is replaced at the next
    request.
    """

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self._lock = threading.Lock()
        self._worker: WorkerProcess | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running worker, `None` while there is none."""
        worker = self._worker
        return worker.process.pid if worker is not None and worker.is_running else None

    @asynccontextmanager
    async def request(self, command: Command) -> AsyncGenerator[Connection]:
        """Open a request; leaving the block ends it, and cancels it if it was not finished.

        Raises:
            EngineNotInstalledError: the native part is missing.
            UnsupportedFeatureError: the request cannot be carried to another process.
            WorkerDiedError: no worker stays alive.
        """
        frame = self._frame(command)
        link, worker = await self.hand_over(frame)
        connection = Connection(self, frame, link=link, worker=worker)
        try:
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """End the worker and free the model's memory; a later request starts a new one."""
        with self._lock:
            if self._worker is not None:
                self._worker.end(Ending.CLOSED)
            self._worker = None

    def retire(self, worker: WorkerProcess, refusal: ModelLoadError) -> None:
        """Let go of a worker that could not load its model, so that the next request tries anew."""
        worker.refusal = refusal
        with self._lock:
            if self._worker is worker:
                self._drop()

    async def hand_over(self, frame: bytes) -> tuple[Link, WorkerProcess]:
        """Send a request to a live worker. Raises `WorkerDiedError` if none stays alive."""
        since_s = time.monotonic()
        while True:
            link, theirs = open_link(frame)
            with ExitStack() as unless_taken, theirs:
                unless_taken.callback(link.close)
                worker, is_taken = self._pass_on(theirs)
                if is_taken:
                    unless_taken.pop_all()
                    return link, worker
            await anyio.sleep(_BUSY_WAIT_S)
            if time.monotonic() > since_s + self.config.hang_timeout_s:
                await self.watch(worker)
                since_s = time.monotonic()

    async def watch(self, worker: WorkerProcess) -> None:
        """Do what a request should that had no reply for `hang_timeout_s`.

        A worker that hangs is ended; whoever waits for it sees the socket close.
        """
        match worker.watchdog.advise(now_s=time.monotonic(), is_loaded=worker.is_loaded):
            case Advice.WAIT:
                return
            case Advice.PROBE:
                if await self._probe(worker):
                    return
            case Advice.END:
                pass
        _log.error("engine.worker_hung", extra={"model": self.config.name})
        worker.end(Ending.HUNG)

    async def _probe(self, worker: WorkerProcess) -> bool:
        is_alive = False
        try:
            is_alive = await self._computes(worker)
        finally:
            worker.watchdog.finish_probe(now_s=time.monotonic(), is_alive=is_alive)
        return is_alive

    async def _computes(self, worker: WorkerProcess) -> bool:
        """Whether a worker answers a canary, or is gone, which its requests see for themselves."""
        link, theirs = open_link(encode_frame(Canary()))
        try:
            for limit_s in (self.config.hang_timeout_s, _LATE_ANSWER_S):
                with anyio.move_on_after(limit_s):
                    while theirs.fileno() >= 0:
                        await _deliver(worker, theirs)
                    await link.receive()
                    return True
        except (LinkLostError, OSError):
            await worker.exit(limit_s=_EXIT_GRACE_S)
            return not worker.is_running
        finally:
            theirs.close()
            link.close()
        return False

    def _frame(self, command: Command) -> bytes:
        try:
            frame = encode_frame(command)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UnsupportedFeatureError(
                runtime=f"embedded:{self.config.name}",
                feature=f"requests with such values ({type(error).__name__})",
                remedy="Use text that is valid Unicode, numbers of 64 bits and plain JSON values.",
            ) from error
        if len(frame) > LENGTH.size + MAX_FRAME_BYTES:
            raise UnsupportedFeatureError(
                runtime=f"embedded:{self.config.name}",
                feature=f"requests of {len(frame) / 1e6:,.0f} MB",
                remedy=f"Send at most {MAX_FRAME_BYTES / 1e6:,.0f} MB.",
            )
        return frame

    def _pass_on(self, theirs: socket.socket) -> tuple[WorkerProcess, bool]:
        """Pass a socket to a live worker; false if that cannot take it now."""
        with self._lock:
            for _ in range(2):
                worker = self._ensure_worker()
                try:
                    worker.hand_over(theirs)
                except BusyWorkerError:
                    return worker, False
                except OSError:
                    # It died since its last request; nothing of this one has reached it.
                    self._drop()
                else:
                    return worker, True
        raise WorkerDiedError(model=self.config.name, cause="it ends as soon as it is started")

    def _ensure_worker(self) -> WorkerProcess:
        if self._worker is not None and not self._worker.is_running:
            self._drop()
        if self._worker is None:
            self._worker = start_worker(self.config, environ=worker_environment(os.environ))
        return self._worker

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.dismiss()
        self._worker = None


class Connection:
    """One request under way."""

    def __init__(self, engine: Engine, frame: bytes, *, link: Link, worker: WorkerProcess) -> None:
        self._engine = engine
        self._frame = frame
        self._link = link
        self._worker = worker
        self._may_repeat = True

    async def receive(self) -> Reply:
        """Wait for the next reply.

        A request that its worker had not even read when it ended is sent again, once.

        Raises:
            SmallholdError: whatever error the worker reported.
            WorkerDiedError: the worker ended.
        """
        while True:
            try:
                body = await self._next_body()
            except LinkLostError as lost:
                await self._repeat(lost)
            except BrokenFrameError as error:
                raise self._broken(error) from error
            else:
                self._may_repeat = False
                return self._understood(body)

    def close(self) -> None:
        """Give up the request, if it was not finished."""
        self._link.close()

    async def _next_body(self) -> bytes:
        while True:
            with anyio.move_on_after(self._engine.config.hang_timeout_s):
                await self._link.finish_sending()
                return await self._link.receive()
            await self._engine.watch(self._worker)

    async def _repeat(self, lost: LinkLostError) -> None:
        await self._worker.exit(limit_s=_EXIT_GRACE_S)
        if lost.was_read or not self._may_repeat or self._worker.is_given_up:
            raise await self._worker.death() from lost
        self._may_repeat = False
        self._link.close()
        self._link, self._worker = await self._engine.hand_over(self._frame)

    def _understood(self, body: bytes) -> Reply:
        try:
            reply = decode_reply(body)
        except msgspec.DecodeError as error:
            raise self._broken(error) from error
        if isinstance(reply, Failed):
            error = from_failed(reply, model=self._engine.config.name)
            if isinstance(error, ModelLoadError):
                self._engine.retire(self._worker, error)
            raise error
        return reply

    def _broken(self, error: Exception) -> WorkerDiedError:
        cause = f"it sent a broken frame: {error}"
        return WorkerDiedError(model=self._engine.config.name, cause=cause)


async def _deliver(worker: WorkerProcess, theirs: socket.socket) -> None:
    try:
        worker.hand_over(theirs)
    except BusyWorkerError:
        await anyio.sleep(_BUSY_WAIT_S)
    else:
        theirs.close()


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a worker: the parent's, with short spinning unless it says otherwise.

    llama.cpp's threads meet at a barrier after each of about 800 graph nodes a token. With
    libgomp's default they spin there, and a core that another process shares turns 40 ms a token
    into 2 s.
    Source: `docs/benchmarks.md`, spin count.
    """
    chosen = any(name in environ for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"))
    return dict(environ) | ({} if chosen else {"GOMP_SPINCOUNT": SPIN_COUNT})
