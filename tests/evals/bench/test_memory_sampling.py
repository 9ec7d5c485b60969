from __future__ import annotations

import subprocess
import sys
import time

from smallhold.evals.bench.memory_sampling import (
    SAMPLE_INTERVAL_S,
    sampled_memory,
    workers_rss_bytes,
)

MB = 10**6
TAKES_MEMORY = (
    "import sys, time; held = bytearray(60_000_000); print(1, flush=True); time.sleep(30)"
)


def test_a_child_that_is_no_worker_does_not_count() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"]) as child:
        try:
            assert workers_rss_bytes() == 0
        finally:
            child.kill()


def test_a_workers_peak_is_seen_and_samples_go_on_ten_times_a_second() -> None:
    looks: list[int] = []
    with sampled_memory(lambda: looks.append(1)) as samples:
        # Known as a worker by its arguments.
        command = [sys.executable, "-c", TAKES_MEMORY, "smallhold.engine.worker"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            try:
                assert child.stdout is not None
                child.stdout.readline()
                time.sleep(5 * SAMPLE_INTERVAL_S)
            finally:
                child.kill()
    assert samples.peak_bytes > 60 * MB
    assert samples.count >= 3
    assert len(looks) == samples.count
