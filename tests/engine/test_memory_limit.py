from __future__ import annotations

import subprocess
import sys

import pytest

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces this limit")


def run(code: str) -> str:
    """Run code in a process of its own, since limits stay for a process's life."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stderr == ""
    return done.stdout


@linux_only
def test_an_allocation_beyond_the_limit_fails_and_smaller_ones_do_not() -> None:
    code = """
from smallhold.engine.memory_limit import limit_memory
limit_memory(200 * 2**20)
small = bytearray(20 * 2**20)
try:
    bytearray(300 * 2**20)
except MemoryError:
    print("refused")
"""
    assert run(code) == "refused\n"


@linux_only
def test_a_lifted_limit_limits_no_more() -> None:
    code = """
from smallhold.engine.memory_limit import lift_memory_limit, limit_memory
limit_memory(100 * 2**20)
lift_memory_limit()
print(len(bytearray(200 * 2**20)))
"""
    assert run(code) == f"{200 * 2**20}\n"


@linux_only
def test_a_limit_that_the_system_has_set_stays() -> None:
    code = """
import resource
from smallhold.engine.memory_limit import lift_memory_limit, limit_memory
resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))
limit_memory(2**40)
print(resource.getrlimit(resource.RLIMIT_DATA))
lift_memory_limit()
print(resource.getrlimit(resource.RLIMIT_DATA))
"""
    assert run(code) == f"({2**30}, {2**30})\n" * 2


@linux_only
def test_a_volunteer_is_killed_before_its_parent() -> None:
    code = """
from pathlib import Path
from smallhold.engine.memory_limit import volunteer_for_oom_killer
score = Path("/proc/self/oom_score_adj")
before = int(score.read_text())
volunteer_for_oom_killer()
print(before < int(score.read_text()) == 500)
"""
    assert run(code) == "True\n"
