"""Promises of `smallhold.engine.job_process`: this file holds tests of jobs in processes."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest
from tests.models.conftest import GGUFMaker
from tests.tiny_models import write_llama

from smallhold.engine.job import (
    JobFailed,
    JobProgress,
    LikelihoodJob,
    Likelihoods,
    Quantized,
    QuantizeJob,
    path_bytes,
)
from smallhold.engine.job_process import run_job


def reading(source: Path, text: str = "one two three") -> LikelihoodJob:
    return LikelihoodJob(
        source=path_bytes(source), text=text, threads=1, batch_threads=1, limit_tokens=4000
    )


@pytest.fixture
def others() -> frozenset[psutil.Process]:
    """Processes of other tests, such as workers that several of them share."""
    return frozenset(psutil.Process().children())


def children(others: frozenset[psutil.Process]) -> set[psutil.Process]:
    return set(psutil.Process().children()) - others


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_llama(tmp_path / "m.gguf")


def test_a_job_is_done_in_another_process(source: Path, others: frozenset[psutil.Process]) -> None:
    steps: list[JobProgress] = []
    reply = run_job(reading(source), on_progress=steps.append)
    assert isinstance(reply, Likelihoods)
    assert steps[-1].done == steps[-1].total
    assert not children(others)


def test_a_failure_is_a_reply(tmp_path: Path, others: frozenset[psutil.Process]) -> None:
    broken = tmp_path / "m.gguf"
    broken.write_bytes(GGUFMaker().file())
    reply = run_job(reading(broken))
    assert isinstance(reply, JobFailed)
    assert not children(others)


def test_a_process_that_is_killed_is_a_failure_that_says_so(
    source: Path, others: frozenset[psutil.Process]
) -> None:
    def kill(_: JobProgress) -> None:
        for child in children(others):
            child.send_signal(signal.SIGKILL)

    job = reading(source, text="the shelf and the lamp " * 400)
    reply = run_job(job, on_progress=kill)
    assert isinstance(reply, JobFailed)
    assert "SIGKILL" in reply.problem


def test_a_process_that_says_nothing_is_ended(
    source: Path, tmp_path: Path, others: frozenset[psutil.Process]
) -> None:
    job = QuantizeJob(
        source=path_bytes(source), target=path_bytes(tmp_path / "q.gguf"), file_type=7, threads=1
    )
    reply = run_job(job, silence_limit_s=0.01)
    assert isinstance(reply, JobFailed)
    assert "no progress" in reply.problem
    assert not children(others)


def test_an_error_of_the_caller_ends_the_process(
    source: Path, others: frozenset[psutil.Process]
) -> None:
    def fail(_: JobProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(reading(source), on_progress=fail)
    assert not children(others)


def test_a_job_over_a_path_that_is_no_text_is_done(tmp_path: Path) -> None:
    source = write_llama(tmp_path / "m.gguf").rename(tmp_path / "m\udcff.gguf")
    job = QuantizeJob(
        source=path_bytes(source), target=path_bytes(tmp_path / "q.gguf"), file_type=7, threads=1
    )
    assert isinstance(run_job(job), Quantized)
