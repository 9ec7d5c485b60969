"""The process that holds a model: this file holds its main loop.

The control socket brings first how to load the model, then one socket for each request. When it
closes, the parent is gone or done with the model, and the process ends at once, also in the middle
of a pass: a thread of its own waits for that. A model that cannot be loaded is refused to everybody
who asks, until the parent closes.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec

from smallhold.engine.config import ModelConfig
from smallhold.engine.frames import PeerGoneError, is_closed, read_frame, write_frame
from smallhold.engine.generation_program import generate
from smallhold.engine.llama import system_info, version
from smallhold.engine.loaded import LoadedModel, Program
from smallhold.engine.scoring_program import score
from smallhold.engine.wire import (
    Command,
    Count,
    Counted,
    Describe,
    Described,
    Failed,
    Generate,
    Load,
    Reply,
    Score,
    decode_command,
    decode_load,
    from_generate,
    from_score,
    from_wire_prompt,
    to_failed,
)
from smallhold.exceptions import DecodeError, SmallholdError

_COMMAND_TIMEOUT_S = 10.0
"""A client sends its command at once after handing over the socket."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request that waits for its turn."""

    connection: socket.socket
    command: Command
    arrived_s: float


Jobs: TypeAlias = "queue.SimpleQueue[Job | None]"
"""Requests in order of arrival; `None` once the parent of a worker without a model has closed."""


def run(control: socket.socket) -> None:
    """Serve requests until the control socket closes."""
    config = to_config(decode_load(read_frame(control)))
    jobs: Jobs = queue.SimpleQueue()
    has_failed = threading.Event()
    threading.Thread(target=_watch, args=(control, jobs, has_failed), daemon=True).start()
    with ExitStack() as stack:
        try:
            loaded = LoadedModel(config, stack=stack)
            loaded.warm_up()
        except SmallholdError as error:
            stack.close()
            has_failed.set()
            _refuse_all(jobs, to_failed(error))
            return
        while (job := jobs.get()) is not None:
            _serve(loaded, job)


def to_config(load: Load) -> ModelConfig:
    """Rebuild the settings from the wire."""
    return ModelConfig(
        path=Path(load.path),
        name=load.name,
        context_tokens=load.context_tokens,
        cache_tokens=load.cache_tokens,
        batch_tokens=load.batch_tokens,
        threads=load.threads,
        gpu_layers=load.gpu_layers,
        use_mmap=load.use_mmap,
        snapshot_folder=None if load.snapshot_folder is None else Path(load.snapshot_folder),
        snapshot_bytes=load.snapshot_bytes,
    )


def _watch(control: socket.socket, jobs: Jobs, has_failed: threading.Event) -> None:
    status = 1
    try:
        _receive(control, jobs)
        status = 0
    finally:
        if has_failed.is_set():
            jobs.put(None)
        else:
            # No clean-up: the main thread may be inside a pass of several seconds.
            os._exit(status)


def _receive(control: socket.socket, jobs: Jobs) -> None:
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        for descriptor in descriptors:
            _accept(socket.socket(fileno=descriptor), jobs)


def _accept(connection: socket.socket, jobs: Jobs) -> None:
    arrived_s = time.monotonic()
    connection.settimeout(_COMMAND_TIMEOUT_S)
    try:
        command = decode_command(read_frame(connection))
    except (OSError, PeerGoneError, msgspec.DecodeError):
        _log.warning("worker.bad_command")
        connection.close()
        return
    connection.settimeout(None)
    jobs.put(Job(connection=connection, command=command, arrived_s=arrived_s))


def _refuse_all(jobs: Jobs, failed: Failed) -> None:
    while (job := jobs.get()) is not None:
        with job.connection:
            _answer_failure(job, failed)


def _send(job: Job, reply: Reply) -> None:
    try:
        write_frame(job.connection, reply)
    except OSError as error:
        raise PeerGoneError from error


def _serve(loaded: LoadedModel, job: Job) -> None:
    with job.connection:
        try:
            _drive(loaded, job)
        except PeerGoneError:
            _log.info("worker.cancelled")
        except SmallholdError as error:
            _answer_failure(job, to_failed(error))


def _answer_failure(job: Job, failed: Failed) -> None:
    try:
        _send(job, failed)
    except PeerGoneError:
        _log.info("worker.cancelled")


def _drive(loaded: LoadedModel, job: Job) -> None:
    with closing(_program(loaded, job)) as program:
        for batch in program:
            if is_closed(job.connection):
                raise PeerGoneError
            try:
                loaded.context.decode(batch)
            except DecodeError as error:
                # The program learns of it, so that it does not hand back what it cannot trust.
                program.throw(error)


def _program(loaded: LoadedModel, job: Job) -> Program:
    def emit(reply: Reply) -> None:
        _send(job, reply)

    match job.command:
        case Generate() as command:
            request = from_generate(command)
            yield from generate(loaded, request, emit=emit, arrived_s=job.arrived_s)
        case Score() as command:
            yield from score(loaded, from_score(command), emit=emit)
        case Count(prompt=prompt):
            encoded = loaded.encoder.encode(from_wire_prompt(prompt), splits_tail=False)
            emit(Counted(tokens=len(encoded.tokens)))
        case Describe():
            emit(
                Described(
                    description=loaded.model.description(),
                    system_info=system_info(),
                    version=version(),
                    pid=os.getpid(),
                )
            )


def main() -> None:
    """Start on the control socket whose descriptor is the only argument."""
    # A parent that is gone before it has said what to load wants nothing more.
    with suppress(PeerGoneError):
        run(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
