"""What bounds inference on this machine: this file holds its measurement.

A token of an answer cannot take less than reading all weights once; a prompt cannot be read faster
than its matrix products are computed. JSON on stdout.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time

import numpy as np

MEGABYTES = 512
MATRIX = 2048
ROUNDS = 7


def read_gb_per_s(threads: int) -> float:
    """Read memory with several threads at once, the best of several rounds."""
    parts = [np.ones(MEGABYTES * 1024 * 1024 // 8 // threads) for _ in range(threads)]
    best_s = min(_together(parts) for _ in range(ROUNDS))
    return sum(part.nbytes for part in parts) / best_s / 1e9


def _together(parts: list[np.ndarray]) -> float:
    # The largest value needs each byte once, and NumPy lets go of the interpreter meanwhile.
    workers = [threading.Thread(target=part.max) for part in parts]
    started_s = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started_s


def matrix_gflop_per_s() -> float:
    """Multiply float32 matrices with the BLAS that NumPy brings."""
    left = np.ones((MATRIX, MATRIX), dtype=np.float32)
    best_s = float("inf")
    for _ in range(ROUNDS):
        started_s = time.perf_counter()
        _ = left @ left
        best_s = min(best_s, time.perf_counter() - started_s)
    return 2 * MATRIX**3 / best_s / 1e9


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    limits = {
        "threads": threads,
        "read_gb_per_s": round(read_gb_per_s(threads), 1),
        "float32_gflop_per_s": round(matrix_gflop_per_s(), 1),
    }
    json.dump(limits, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
