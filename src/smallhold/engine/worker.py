"""The process that holds a model: this file holds its main loop.

The control socket brings first how to load the model, then one socket for each request. When it
closes, the parent is gone or done with the model, and the process ends at once, also in the middle
of a pass: a thread of its own waits for that.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from smallhold.engine.config import ModelConfig
from smallhold.engine.frames import PeerGone, is_closed, read_frame, write_frame
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
from smallhold.exceptions import DecodeError, ModelLoadError, SmallholdError

_COMMAND_TIMEOUT_S = 10.0
"""A client sends its command at once after handing over the socket."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request that waits for its turn."""

    connection: socket.socket
    command: Command
    arrived_s: float


def run(control: socket.socket) -> None:
    """Serve requests until the control socket closes."""
    config = to_config(decode_load(read_frame(control)))
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(control, jobs), daemon=True).start()
    with ExitStack() as stack:
        try:
            loaded = LoadedModel(config, stack=stack)
            loaded.warm_up()
        except ModelLoadError as error:
            _refuse(jobs.get(), error)
            return
        while True:
            _serve(loaded, jobs.get())


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


def _receive(control: socket.socket, jobs: queue.SimpleQueue[Job]) -> None:
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            # No clean-up: the main thread may be inside a pass of several seconds.
            os._exit(0)
        for descriptor in descriptors:
            _accept(socket.socket(fileno=descriptor), jobs)


def _accept(connection: socket.socket, jobs: queue.SimpleQueue[Job]) -> None:
    arrived_s = time.monotonic()
    connection.settimeout(_COMMAND_TIMEOUT_S)
    try:
        command = decode_command(read_frame(connection))
    except (OSError, PeerGone, msgspec.DecodeError):
        _log.warning("worker.bad_command")
        connection.close()
        return
    connection.settimeout(None)
    jobs.put(Job(connection=connection, command=command, arrived_s=arrived_s))


def _refuse(job: Job, error: SmallholdError) -> None:
    with job.connection:
        _send(job, to_failed(error))


def _send(job: Job, reply: Reply) -> None:
    try:
        write_frame(job.connection, reply)
    except OSError as error:
        raise PeerGone from error


def _serve(loaded: LoadedModel, job: Job) -> None:
    with job.connection:
        try:
            _drive(loaded, job)
        except PeerGone:
            _log.info("worker.cancelled")
        except SmallholdError as error:
            _answer_failure(job, to_failed(error))


def _answer_failure(job: Job, failed: Failed) -> None:
    try:
        _send(job, failed)
    except PeerGone:
        _log.info("worker.cancelled")


def _drive(loaded: LoadedModel, job: Job) -> None:
    with closing(_program(loaded, job)) as program:
        for batch in program:
            if is_closed(job.connection):
                raise PeerGone
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
    run(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
