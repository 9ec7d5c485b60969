"""From a command to the work it asks for: this file holds how a request is begun."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable

from smallhold.engine.canary_program import CANARY_PRIORITY, canary
from smallhold.engine.embedding_program import embed
from smallhold.engine.generation_program import generate
from smallhold.engine.intake import Job
from smallhold.engine.llama import system_info, version
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.outbox import Outbox
from smallhold.engine.program import Program
from smallhold.engine.scheduler import Task
from smallhold.engine.scoring_program import score
from smallhold.engine.wire import (
    Canary,
    Count,
    Counted,
    Describe,
    Described,
    Embed,
    Generate,
    Reply,
    Score,
    SetThreads,
    ThreadsSet,
    from_embed,
    from_generate,
    from_score,
    from_wire_prompt,
)
from smallhold.exceptions import DecodeError, SmallholdError

_log = logging.getLogger(__name__)


def begin(loaded: LoadedModel, job: Job, outbox: Outbox) -> None:
    """Answer a request at once where no pass is needed; else give it to the scheduler.

    Raises:
        MemoryError: there is not enough; no request can go on.
    """
    match job.command:
        case Count() | Describe() | SetThreads() as command:
            _answer(loaded, command, outbox)
        case Generate() | Score() | Embed() | Canary() as command:
            is_canary = isinstance(command, Canary)
            program = _program(loaded, command, emit=outbox.emit, arrived_s=job.arrived_s)
            loaded.scheduler.add(
                Task(
                    program=_contained(program),
                    client=outbox,
                    priority=CANARY_PRIORITY if is_canary else command.scheduling.priority,
                    arrived_s=job.arrived_s,
                    timeout_s=None if is_canary else command.scheduling.timeout_s,
                )
            )


def _program(
    loaded: LoadedModel,
    command: Generate | Score | Embed | Canary,
    *,
    emit: Callable[[Reply], None],
    arrived_s: float,
) -> Program:
    match command:
        case Generate():
            request = from_generate(command)
            yield from generate(loaded, request, emit=emit, arrived_s=arrived_s)
        case Score():
            yield from score(loaded, from_score(command), emit=emit)
        case Embed():
            yield from embed(loaded, from_embed(command), emit=emit)
        case Canary():
            yield from canary(loaded, emit=emit)


def _contained(program: Program) -> Program:
    """Make of a fault in one request an error of that request."""
    try:
        yield from program
    except (SmallholdError, MemoryError):
        raise
    except Exception as error:
        raise internal_error(error) from error


def _answer(loaded: LoadedModel, command: Count | Describe | SetThreads, outbox: Outbox) -> None:
    try:
        match command:
            case Count(prompt=prompt):
                encoded = loaded.encoder.encode(from_wire_prompt(prompt), splits_tail=False)
                outbox.emit(Counted(tokens=len(encoded.tokens)))
            case Describe():
                outbox.emit(_description(loaded))
            case SetThreads(threads=threads):
                set_threads, set_batch_threads = loaded.context.limit_threads(threads)
                outbox.emit(ThreadsSet(threads=set_threads, batch_threads=set_batch_threads))
    except SmallholdError as error:
        outbox.fail(error)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - reported to the request, and logged
        outbox.fail(internal_error(error))
    finally:
        outbox.close()


def _description(loaded: LoadedModel) -> Described:
    return Described(
        description=loaded.model.description(),
        system_info=system_info(),
        version=version(),
        pid=os.getpid(),
    )


def internal_error(error: Exception) -> DecodeError:
    """Log a fault of our own, and give what its request is told.

    The words of a foreign exception may hold a piece of the prompt, so neither repeats them.
    """
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.name}:{frame.lineno}" for frame in frames]
    _log.error("dispatch.internal_error", extra={"kind": kind, "places": places})
    return DecodeError(problem=f"internal: {kind}")
