"""Promises of `benchmarks.memory_fit`: this file holds tests of the estimate against workers."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.memory_fit import Row, contexts_for, measure, read_memory, summary
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.fit.fit import MemoryEstimate, estimate_file

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's files under /proc"),
]
ALLOWED = 0.10
CONTEXT_TOKENS = 2048


def within(row: Row) -> bool:
    parts = row.estimate.to_dict()
    sys.stderr.write(f"{row.model}: measured {row.measured}, estimated {parts}\n")
    return abs(row.error) <= ALLOWED


@pytest.mark.slow
async def test_a_small_model_takes_what_was_estimated(smollm2_path: Path) -> None:
    assert within(await measure(smollm2_path, model="smollm2", context_tokens=CONTEXT_TOKENS))


@pytest.mark.slow
async def test_a_larger_model_takes_what_was_estimated(qwen_coder_path: Path) -> None:
    assert within(await measure(qwen_coder_path, model="coder", context_tokens=CONTEXT_TOKENS))


def test_this_process_holds_memory() -> None:
    memory = read_memory(os.getpid())
    assert memory.peak_bytes >= memory.rss_bytes > memory.anonymous_bytes > 0
    assert memory.rss_bytes >= memory.pss_bytes > 0


@pytest.mark.parametrize(
    ("trained", "chosen"),
    [
        (32768, [2048, 8192, 16384]), (16384, [2048, 8192, 16384]), (8192, [2048, 4096, 8192]),
        (2048, [2048]), (None, [2048, 8192, 16384]),
    ],
)  # fmt: skip
def test_contexts_are_those_that_a_model_allows(trained: int | None, chosen: list[int]) -> None:
    assert contexts_for(trained, (2048, 8192, 16384)) == chosen


@given(st.integers(1, 200_000), st.lists(st.integers(256, 65536), min_size=1, max_size=5))
def test_no_context_is_longer_than_what_was_trained(trained: int, wanted: list[int]) -> None:
    chosen = contexts_for(trained, wanted)
    assert chosen == sorted(set(chosen))
    assert max(chosen) <= trained


def test_the_largest_error_is_reported_whatever_its_sign(smollm2_path: Path) -> None:
    estimate = estimate_file(smollm2_path)
    rows = [row_of(estimate, ratio) for ratio in (1.05, 0.8)]
    assert summary(rows)["estimate_error_max"] == pytest.approx(0.2, abs=0.001)
    assert summary([])["estimate_error_max"] == 0.0


def row_of(estimate: MemoryEstimate, ratio: float) -> Row:
    """A row whose estimate is so many times what was measured."""
    measured = replace(read_memory(os.getpid()), peak_bytes=round(estimate.total_bytes / ratio))
    return Row(
        model="m", context_tokens=1, prompt_tokens=1, estimate=estimate, measured=measured,
        duration_s=1.0,
    )  # fmt: skip
