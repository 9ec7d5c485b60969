"""The text that quantizations are measured on: this file holds its reading.

It is of Smallhold's own documentation: plain English of the kind that instructions are written in,
and no part of what models are known to be trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

from smallhold.engine.job import JobFailed, JobProgress, LikelihoodJob, Likelihoods, path_bytes
from smallhold.engine.job_process import run_job
from smallhold.evals.quantization.text_quality import TextQuality, text_quality
from smallhold.exceptions import ModelLoadError

LIMIT_TOKENS: Final = 640
"""The passage has about 600 tokens: a standard error of about 0.1 nats for the mean
log-probability, and far less for the difference of two models on the same tokens."""
_FILE: Final = "passage.txt"


def passage() -> str:
    """The packaged text."""
    return resources.files(__package__ or "").joinpath(_FILE).read_text("utf-8")


def read_passage(
    path: Path,
    *,
    threads: int,
    batch_threads: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> TextQuality | None:
    """Have a model read the passage in a process of its own.

    Args:
        path: A GGUF file whose header was found sound.
        threads: For single tokens.
        batch_threads: For many.
        on_progress: Told how many tokens of how many are done.

    Returns:
        The figures, or `None` for a vocabulary in which the passage is a single token.

    Raises:
        ModelLoadError: the engine refused the file, or crashed on it.
        EngineNotInstalledError: the native part is missing.
    """
    job = LikelihoodJob(
        source=path_bytes(path),
        text=passage(),
        threads=threads,
        batch_threads=batch_threads,
        limit_tokens=LIMIT_TOKENS,
    )

    def follow(step: JobProgress) -> None:
        if on_progress is not None:
            on_progress(step.done, step.total)

    match run_job(job, on_progress=follow):
        case Likelihoods() as read:
            return text_quality(read)
        case JobFailed(problem=problem):
            raise ModelLoadError(path=str(path), problem=problem)
        case other:
            problem = f"the engine answered with {type(other).__name__}"
            raise ModelLoadError(path=str(path), problem=problem)
