"""The parent's side of a worker process: this file holds the engine that callers use.

Each request gets a socket of its own, made by the caller's task in the caller's event loop, so any
number of loops and threads may use one engine, no background task exists, and cancelling the task
closes the socket, which stops the worker within one forward pass.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Final

import anyio
import anyio.to_thread
import msgspec
from anyio.abc import SocketStream, UNIXSocketStream

from smallhold.engine.config import ModelConfig
from smallhold.engine.wire import (
    LENGTH,
    MAX_FRAME_BYTES,
    Command,
    Failed,
    Load,
    Reply,
    decode_reply,
    encode_frame,
    from_failed,
)
from smallhold.exceptions import EngineNotInstalledError, ModelLoadError, WorkerDiedError

_EXIT_WAIT_S: Final = 5.0
"""How long a worker may take from closing its sockets to having an exit status."""

SPIN_COUNT: Final = "10000"
"""Turns a waiting thread spins before it sleeps, about 20 microseconds."""

_log = logging.getLogger(__name__)


class Engine:
    """A model in a worker process of its own, started at the first request.

    Safe to use from several threads and event loops. A worker that died is replaced at the next
    request.
    """

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running worker, `None` while there is none."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    @asynccontextmanager
    async def request(self, command: Command) -> AsyncGenerator[Connection]:
        """Open a request; leaving the block ends it, and cancels it if it was not finished.

        Raises:
            EngineNotInstalledError: the native part is missing.
            WorkerDiedError: the worker ended before it had answered.
        """
        ours, process = self._hand_over()
        try:
            stream = await UNIXSocketStream.from_socket(ours)
        except BaseException:
            ours.close()
            raise
        async with stream:
            connection = Connection(self, stream, process)
            await connection.send(command)
            yield connection

    def close(self) -> None:
        """End the worker and free the model's memory; a later request starts a new one."""
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._control = self._process = None

    def retire(self, process: subprocess.Popen[bytes]) -> None:
        """Let go of a worker that could not load its model, so that the next request tries anew."""
        with self._lock:
            if self._process is process:
                self._drop()

    def _hand_over(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        """Make a socket pair and pass one end to a live worker."""
        ours, theirs = socket.socketpair()
        with ExitStack() as unless_handed_over, self._lock, theirs:
            unless_handed_over.enter_context(ours)
            for _ in range(2):
                try:
                    control, process = self._ensure_worker()
                    socket.send_fds(control, [b"r"], [theirs.fileno()])
                except OSError:
                    # It died since its last request; nothing of this one has reached it.
                    self._drop()
                else:
                    unless_handed_over.pop_all()
                    return ours, process
        raise WorkerDiedError(model=self.config.name, cause="it ends as soon as it is started")

    def _ensure_worker(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        if self._process is not None and self._process.poll() is not None:
            self._drop()
        if self._process is None or self._control is None:
            self._control, self._process = _start_worker(self.config)
        return self._control, self._process

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(_EXIT_WAIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._control = self._process = None


class Connection:
    """One request under way."""

    def __init__(
        self, engine: Engine, stream: SocketStream, process: subprocess.Popen[bytes]
    ) -> None:
        self._engine = engine
        self._stream = stream
        self._process = process
        self._buffer = bytearray()

    async def send(self, command: Command) -> None:
        """Send the request itself."""
        try:
            await self._stream.send(encode_frame(command))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise await self._death() from error

    async def receive(self) -> Reply:
        """Wait for the next reply.

        Raises:
            SmallholdError: whatever error the worker reported.
            WorkerDiedError: the worker ended.
        """
        (size,) = LENGTH.unpack(await self._read(LENGTH.size))
        if size > MAX_FRAME_BYTES:
            raise WorkerDiedError(model=self._engine.config.name, cause="it sent a broken frame")
        try:
            reply = decode_reply(await self._read(size))
        except msgspec.DecodeError as error:
            raise WorkerDiedError(
                model=self._engine.config.name, cause=f"it sent a broken frame: {error}"
            ) from error
        if isinstance(reply, Failed):
            error = from_failed(reply, model=self._engine.config.name)
            if isinstance(error, ModelLoadError):
                self._engine.retire(self._process)
            raise error
        return reply

    async def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                self._buffer += await self._stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
                raise await self._death() from error
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _death(self) -> WorkerDiedError:
        with anyio.move_on_after(_EXIT_WAIT_S):
            await anyio.to_thread.run_sync(self._process.wait, abandon_on_cancel=True)
        cause = exit_cause(self._process.poll())
        _log.error("engine.worker_died", extra={"model": self._engine.config.name, "cause": cause})
        return WorkerDiedError(model=self._engine.config.name, cause=cause)


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
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a worker: the parent's, with short spinning unless it says otherwise.

    llama.cpp's threads meet at a barrier after each of about 800 graph nodes a token. With
    libgomp's default they spin there, and a core that another process shares turns 40 ms a token
    into 2 s.
    Source: `docs/benchmarks.md`, spin count.
    """
    chosen = any(name in environ for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"))
    return dict(environ) | ({} if chosen else {"GOMP_SPINCOUNT": SPIN_COUNT})


def _start_worker(config: ModelConfig) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    _require_native()
    load = encode_frame(_load_message(config))
    control, theirs = socket.socketpair()
    with ExitStack() as unless_started:
        unless_started.enter_context(control)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "smallhold.engine.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=worker_environment(os.environ),
                # A terminal's Ctrl-C belongs to the parent, which cancels in order.
                start_new_session=True,
            )
        unless_started.callback(process.wait)
        unless_started.callback(process.kill)
        control.sendall(load)
        unless_started.pop_all()
    _log.info("engine.worker_started", extra={"model": config.name, "pid": process.pid})
    return control, process


def _require_native() -> None:
    for module in ("llama_cpp", "llguidance", "numpy"):
        if find_spec(module) is None:
            raise EngineNotInstalledError(missing=module)


def _load_message(config: ModelConfig) -> Load:
    if not config.path.is_file():
        raise ModelLoadError(path=str(config.path), problem="there is no such file")
    return Load(
        path=str(config.path),
        name=config.name,
        context_tokens=config.context_tokens,
        cache_tokens=config.cache_tokens,
        batch_tokens=config.batch_tokens,
        threads=config.threads,
        gpu_layers=config.gpu_layers,
        use_mmap=config.use_mmap,
        snapshot_folder=None if config.snapshot_folder is None else str(config.snapshot_folder),
        snapshot_bytes=config.snapshot_bytes,
    )
