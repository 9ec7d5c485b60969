"""The three models that share the memory: this file holds how they are found, and made to fit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from smallhold.engine.footprint import estimate_config
from smallhold.engine.quantizing import QuantizeOrder, quantize
from smallhold.evals.bench.residency import spec_for
from smallhold.models.gguf.file_types import WRITABLE
from smallhold.models.machine.hardware import Hardware

ALIASES: Final = ("smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
"""The most wanted first."""
SMALLER_TYPE: Final = "Q3_K_S"
"""Smallest type without an importance matrix that still answers in words. What it says does not
matter here: loads and memory are measured."""

_log = logging.getLogger(__name__)


def fitting_file(
    path: Path,
    *,
    budget_bytes: int,
    hardware: Hardware,
    threads: int,
    folder: Path,
    on_quantizing: Callable[[], None] = lambda: None,
) -> Path:
    """Give the file of a model, or a smaller quantization of it where it does not fit the budget.

    Args:
        path: The model's own file.
        budget_bytes: What it may take in memory.
        hardware: The machine.
        threads: To quantize with, half a minute for 1.5 billion weights on two cores.
        folder: Where the smaller file is kept for the next time.
        on_quantizing: Called before it is made.

    Raises:
        InvalidGGUFError: the file is not sound.
        QuantizingError: no smaller one could be made.
    """
    config = spec_for(path.stem, path, threads=threads).config
    if estimate_config(config, hardware=hardware).total_bytes <= budget_bytes:
        return path
    smaller = folder / f"{path.resolve().name}-{SMALLER_TYPE.lower()}.gguf"
    if not smaller.exists():
        on_quantizing()
        folder.mkdir(parents=True, exist_ok=True)
        order = QuantizeOrder(
            source=path,
            name=path.stem,
            file_type=WRITABLE[SMALLER_TYPE],
            threads=threads,
            may_requantize=True,
        )
        arriving = smaller.with_suffix(".part")
        quantize(order, arriving)
        arriving.replace(smaller)
        _log.info("bench.quantized", extra={"bytes": smaller.stat().st_size})
    return smaller
