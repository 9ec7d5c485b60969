"""The process that does a job: this file holds its main program.

It reads one job from a socket, does it, and writes what came of it. It ends with its parent.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from smallhold.engine.frames import PeerGoneError, read_frame
from smallhold.engine.importance import read_importance
from smallhold.engine.job import (
    JobFailed,
    JobProgress,
    JobReply,
    LikelihoodJob,
    Quantized,
    QuantizeJob,
    decode_job,
    encode_job,
    path_of,
)
from smallhold.engine.lifeline import end_with
from smallhold.engine.likelihood import read_likelihoods
from smallhold.engine.llama import write_quantized
from smallhold.engine.memory_limit import volunteer_for_oom_killer
from smallhold.engine.quantize_log import QuantizeLog
from smallhold.exceptions import QuantizingError, SmallholdError

_STDIN: Final = 0

Tell = Callable[[JobReply], None]


def do_quantize(job: QuantizeJob, tell: Tell) -> Quantized:
    """Write a file, or find out how large it would be.

    Raises:
        QuantizingError: llama.cpp refused.
        InvalidGGUFError: the importance matrix is not sound.
    """
    log = QuantizeLog()

    def follow(piece: str) -> None:
        begun = log.read(piece)
        if begun is not None:
            tell(JobProgress(begun.number, begun.total, begun.name))

    matrix = None if job.importance is None else read_importance(path_of(job.importance))
    write_quantized(job, importance=matrix, on_log=follow)
    return Quantized(log.tensor_bytes, log.fallback_tensors, log.needs_importance)


def do_job(job: QuantizeJob | LikelihoodJob, tell: Tell) -> JobReply:
    """Do a job; a failure is a reply as well."""
    try:
        match job:
            case QuantizeJob():
                return do_quantize(job, tell)
            case LikelihoodJob():
                return read_likelihoods(
                    path_of(job.source),
                    job.text,
                    threads=job.threads,
                    batch_threads=job.batch_threads,
                    limit_tokens=job.limit_tokens,
                    on_progress=lambda done, total: tell(JobProgress(done, total, "tokens")),
                )
    except MemoryError:
        return JobFailed("there is not enough memory", is_memory=True)
    except QuantizingError as error:
        return JobFailed(error.problem)
    except (SmallholdError, OSError) as error:
        return JobFailed(str(error))


def main() -> None:
    """Do the one job that comes over the socket whose descriptor is the only argument."""
    end_with(_STDIN)
    volunteer_for_oom_killer()
    parent = socket.socket(fileno=int(sys.argv[1]))

    def tell(reply: JobReply) -> None:
        # A parent that is gone ends this process by the lifeline; until then nothing can be done.
        with suppress(OSError):
            parent.sendall(encode_job(reply))

    # A parent that is gone before it has said what to do wants nothing more.
    with suppress(PeerGoneError):
        tell(do_job(decode_job(read_frame(parent)), tell))


if __name__ == "__main__":
    main()
