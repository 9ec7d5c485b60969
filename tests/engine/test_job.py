"""Promises of `smallhold.engine.job`: this file holds tests of what a job and its parent say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.job import (
    JobFailed,
    JobProgress,
    LikelihoodJob,
    Likelihoods,
    Quantized,
    QuantizeJob,
    decode_job,
    decode_job_reply,
    encode_job,
    path_bytes,
    path_of,
)
from smallhold.engine.wire import LENGTH

QUANTIZE = QuantizeJob(
    source=b"/a", target=b"/b", file_type=15, threads=2, may_requantize=True, importance=b"/c"
)
READ = LikelihoodJob(source=b"/a", text="one", threads=1, batch_threads=2, limit_tokens=3)


@pytest.mark.parametrize("job", [QUANTIZE, READ])
def test_a_job_arrives_as_it_was_sent(job: QuantizeJob | LikelihoodJob) -> None:
    assert decode_job(encode_job(job)[LENGTH.size :]) == job


@pytest.mark.parametrize(
    "reply",
    [
        JobProgress(1, 2, "blk.0"), Quantized(5, 0, needs_importance=False),
        Likelihoods([1, 2], [-0.5], [2]), JobFailed("no", is_memory=True),
    ],
)  # fmt: skip
def test_a_reply_arrives_as_it_was_sent(
    reply: JobProgress | Quantized | Likelihoods | JobFailed,
) -> None:
    assert decode_job_reply(encode_job(reply)[LENGTH.size :]) == reply


@given(st.binary(max_size=60))
def test_anything_else_is_refused(body: bytes) -> None:
    for decode in (decode_job, decode_job_reply):
        with pytest.raises(msgspec.DecodeError):
            decode(body)


def test_a_path_need_not_be_text() -> None:
    assert path_of(path_bytes(Path("/models/\udcff"))) == Path("/models/\udcff")
