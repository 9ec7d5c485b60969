"""How long `import smallhold` takes: this file holds the benchmark of the import budget.

Run it on a quiet machine: `python benchmarks/import_time.py`. It prints the median of ten fresh
interpreters and the slowest modules of the median run.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

RUNS: Final = 10
SHOWN_MODULES: Final = 8
BUDGET_MS: Final = 300.0
"""Source: style rule R21."""
_LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTime:
    """What one interpreter reported."""

    total_ms: float
    own_ms: dict[str, float]
    """Milliseconds spent in each module itself, without the modules that it imports."""


def parse_import_time(report: str) -> ImportTime:
    """Read the output of `python -X importtime`."""
    own_ms: dict[str, float] = {}
    total_ms = 0.0
    for line in report.splitlines():
        if match := _LINE.match(line):
            own_ms[match[4]] = int(match[1]) / 1000
            if match[4] == "smallhold":
                total_ms = int(match[2]) / 1000
    return ImportTime(total_ms=total_ms, own_ms=own_ms)


def measure() -> ImportTime:
    """Import the package once, in a fresh interpreter."""
    command = [sys.executable, "-X", "importtime", "-c", "import smallhold"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - this interpreter
    return parse_import_time(done.stderr)


def main() -> None:
    """Print the median of several imports."""
    measure()  # the first one also writes the byte code
    runs = sorted((measure() for _ in range(RUNS)), key=lambda run: run.total_ms)
    median_ms = statistics.median(run.total_ms for run in runs)
    out = sys.stdout
    out.write(
        f"import smallhold: median {median_ms:.0f} ms of {RUNS} (budget {BUDGET_MS:.0f} ms)\n"
    )
    own_ms = runs[len(runs) // 2].own_ms
    for module in sorted(own_ms, key=own_ms.__getitem__, reverse=True)[:SHOWN_MODULES]:
        out.write(f"  {own_ms[module]:6.1f} ms  {module}\n")


if __name__ == "__main__":
    main()
