"""Promises of `smallhold.engine.job_worker`: this file holds tests of the process for one job."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.tiny_models import write_llama

from smallhold.engine.frames import read_frame
from smallhold.engine.job import (
    JobFailed,
    JobProgress,
    JobReply,
    LikelihoodJob,
    Likelihoods,
    Quantized,
    QuantizeJob,
    decode_job_reply,
    encode_job,
    path_bytes,
)
from smallhold.engine.job_worker import do_job
from smallhold.models.gguf.file_types import file_type_named
from smallhold.models.gguf.header import read_gguf_header


def job_for(source: Path, target: Path, *, to: str = "Q8_0", trial: bool = False) -> QuantizeJob:
    return QuantizeJob(
        source=path_bytes(source), target=path_bytes(target),
        file_type=file_type_named(to).number, threads=1, is_trial=trial,
    )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_llama(tmp_path / "m.gguf")


def test_a_file_is_written_and_every_tensor_told(source: Path, tmp_path: Path) -> None:
    said: list[JobReply] = []
    done = do_job(job_for(source, tmp_path / "q.gguf"), said.append)
    written = read_gguf_header(tmp_path / "q.gguf")
    assert isinstance(done, Quantized)
    assert done.tensor_bytes == pytest.approx(written.tensor_bytes, abs=6000)
    steps = [step.done for step in said if isinstance(step, JobProgress)]
    assert steps == list(range(1, len(written.tensors) + 1))


def test_a_trial_writes_nothing(source: Path, tmp_path: Path) -> None:
    done = do_job(job_for(source, tmp_path / "q.gguf", trial=True), lambda _: None)
    assert isinstance(done, Quantized)
    assert done.tensor_bytes > 0
    assert not (tmp_path / "q.gguf").exists()


def test_a_refusal_of_the_engine_is_a_reply(tmp_path: Path) -> None:
    empty = tmp_path / "m.gguf"
    empty.write_bytes(b"GGUF")
    failed = do_job(job_for(empty, tmp_path / "q.gguf"), lambda _: None)
    assert isinstance(failed, JobFailed)
    assert failed.problem


def test_a_matrix_that_is_not_there_is_a_reply_as_well(source: Path, tmp_path: Path) -> None:
    job = QuantizeJob(
        source=path_bytes(source), target=path_bytes(tmp_path / "q.gguf"), file_type=7, threads=1,
        importance=path_bytes(tmp_path / "none.gguf"),
    )  # fmt: skip
    assert isinstance(do_job(job, lambda _: None), JobFailed)


def test_a_text_is_read_token_by_token(source: Path) -> None:
    job = LikelihoodJob(
        source=path_bytes(source), text="the lamp on the shelf", threads=1, batch_threads=1,
        limit_tokens=100,
    )  # fmt: skip
    read = do_job(job, lambda _: None)
    assert isinstance(read, Likelihoods)
    assert len(read.log_probs) == len(read.likeliest) == len(read.tokens) - 1
    assert max(read.log_probs) < 0


@contextmanager
def started() -> Generator[tuple[socket.socket, socket.socket, subprocess.Popen[bytes]]]:
    """A process with its end of both sockets."""
    with ExitStack() as stack:
        ours, theirs = socket.socketpair()
        lifeline, held = socket.socketpair()
        stack.enter_context(ours)
        stack.enter_context(lifeline)
        with theirs, held:
            process = subprocess.Popen(
                [sys.executable, "-m", "smallhold.engine.job_worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=held.fileno(),
            )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.kill)
        ours.settimeout(60)
        yield ours, lifeline, process


def test_a_process_does_its_job_and_ends(source: Path, tmp_path: Path) -> None:
    with started() as (ours, _, process):
        ours.sendall(encode_job(job_for(source, tmp_path / "q.gguf")))
        while isinstance(reply := decode_job_reply(read_frame(ours)), JobProgress):
            pass
        assert isinstance(reply, Quantized)
        assert process.wait(30) == 0


def test_a_process_ends_with_its_parent() -> None:
    with started() as (ours, lifeline, process):
        lifeline.close()
        ours.close()
        assert process.wait(30) is not None
