"""Promises of `smallhold.cli.peak_memory`: this file holds tests of high-water marks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.peak_memory import PeakMemory, parse_high_water, peak_rss_bytes

MEGABYTE = 1_000_000
GROWS_AND_SHRINKS = """
import sys
filling = bytearray(100_000_000)
del filling
print("ready", flush=True)
sys.stdin.read()
"""


@given(st.integers(min_value=0, max_value=1 << 40), st.text(), st.text())
def test_the_mark_is_read_wherever_it_stands(kilobytes: int, before: str, after: str) -> None:
    status = f"{before}\nVmHWM:\t{kilobytes} kB\n{after}"
    assert parse_high_water(status) == kilobytes * 1024


def test_a_process_without_memory_has_no_mark() -> None:
    assert parse_high_water("Name:\tkthreadd\nThreads:\t1\n") is None


def test_memory_that_was_given_back_still_counts() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", GROWS_AND_SHRINKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        peak_bytes = peak_rss_bytes(process.pid)
        process.communicate()
    if not Path("/proc/self/status").exists():
        pytest.skip("this system keeps no high-water mark")
    assert peak_bytes > 100 * MEGABYTE


def test_without_a_mark_it_is_what_the_process_holds_now(tmp_path: Path) -> None:
    assert peak_rss_bytes(os.getpid(), proc=tmp_path) > 10 * MEGABYTE


def test_a_process_that_has_ended_counts_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert peak_rss_bytes(process.pid) == 0


def test_a_worker_counts_beside_this_process() -> None:
    alone, together = PeakMemory(), PeakMemory()
    alone.look([None])
    with subprocess.Popen(
        [sys.executable, "-c", GROWS_AND_SHRINKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        together.look([process.pid])
        process.communicate()
    together.look([process.pid])
    assert together.total_bytes > alone.total_bytes > 0
