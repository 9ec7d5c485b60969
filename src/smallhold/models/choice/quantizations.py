"""What quantizing costs and which quantization suits where: this file holds that knowledge.

Losses and sizes are llama.cpp's own measurements of one model of 8 billion parameters. Smaller
models lose more at the same quantization, and the order stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ADDED_PERPLEXITY: Final[Mapping[str, float]] = MappingProxyType({
    "F32": 0.0,
    "BF16": 0.0,
    "F16": 0.0020,
    "Q8_0": 0.0026,
    "Q6_K": 0.0217,
    "Q5_K_M": 0.0569,
    "Q5_K_S": 0.1049,
    "Q5_1": 0.1062,
    "Q5_0": 0.1316,
    "Q4_K_M": 0.1754,
    "Q4_K_S": 0.2689,
    "Q4_1": 0.4511,
    "Q4_0": 0.4685,
    "Q3_K_L": 0.5562,
    "Q3_K_M": 0.6569,
    "Q3_K_S": 1.6321,
    "Q2_K_S": 3.1836,
    "Q2_K": 3.5199,
})
"""What each adds to perplexity. Source: llama.cpp, `tools/quantize/quantize.cpp`, Llama 3 8B; for
16-bit floats Mistral 7B."""

BITS_PER_PARAMETER: Final[Mapping[str, float]] = MappingProxyType({
    "F32": 32.0, "BF16": 16.0, "F16": 16.0, "Q8_0": 8.52, "Q6_K": 6.57, "Q5_K_M": 5.70,
    "Q5_1": 6.04, "Q5_0": 5.57, "Q5_K_S": 5.57, "Q4_K_M": 4.90, "Q4_1": 5.11, "Q4_K_S": 4.68,
    "Q4_0": 4.64, "Q3_K_L": 4.31, "Q3_K_M": 4.00, "Q3_K_S": 3.65, "Q2_K": 3.17, "Q2_K_S": 3.17,
})  # fmt: skip
"""Bits of the whole file for each parameter: the sizes of the same source, in GiB, over 8.03e9."""

LOSSY_FROM_PERPLEXITY: Final = 0.5
"""Between Q4_0, which is in wide use, and Q3_K_L."""

CPU_ORDER: Final = (
    *("Q4_K_M", "Q4_K_S", "Q5_K_S", "Q5_K_M", "Q4_1", "Q4_0", "Q5_0", "Q5_1"),
    *("Q6_K", "Q8_0", "F16", "BF16", "F32"),
    *("Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "Q2_K_S"),
)
"""The best first. Each token of an answer reads all weights from memory, so that half the bits are
nearly twice the speed; below four bits too much is lost."""

GPU_ORDER: Final = (
    *("Q8_0", "F16", "BF16", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0"),
    *("Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0", "F32"),
    *("Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "Q2_K_S"),
)
"""The best first. A GPU's memory is ten times as fast, so loss decides; 8 bits lose as little as 16
and are read in half the time."""

SMALL_ON_CPU: Final = frozenset(CPU_ORDER[:8])
"""Four and five bits: near enough to each other that the catalog's default among them comes first.
Its digest is known and its decisions were calibrated."""

_BITS: Final = re.compile(r"(?:^|[^0-9])(?:I?Q|TQ|INT|FP|U?INT|W)(\d{1,2})(?![0-9])")
_SOUND_BITS: Final = 4
_FULL_BITS: Final = 16.0


def is_lossy(quantization: str) -> bool:
    """Tell whether so much is lost that a smaller model with more bits is the better one."""
    known = ADDED_PERPLEXITY.get(quantization.upper())
    if known is not None:
        return known > LOSSY_FROM_PERPLEXITY
    return (_bits(quantization) or _FULL_BITS) < _SOUND_BITS


def preference(quantization: str, *, on_gpu: bool, is_default: bool = False) -> int:
    """Rank a quantization for a CPU or a GPU; 0 is the best.

    Args:
        quantization: Such as `Q4_K_M`. Unknown names come after known ones of the same kind.
        on_gpu: Whether all layers are on a GPU.
        is_default: Whether the catalog names this file first.
    """
    name = quantization.upper()
    order = GPU_ORDER if on_gpu else CPU_ORDER
    if not on_gpu and is_default and name in SMALL_ON_CPU:
        return 0
    if name in order:
        return 1 + order.index(name)
    return order.index("Q3_K_L") if not is_lossy(name) else 1 + len(order)


def approximate_bytes(parameter_count: int, quantization: str) -> int:
    """Estimate a file's size by its name, rounded up."""
    bits = BITS_PER_PARAMETER.get(quantization.upper())
    if bits is None:
        # Blocks carry scales of their own: about half a bit for each parameter.
        bits = min(32.0, (_bits(quantization) or _FULL_BITS) + 0.5)
    return math.ceil(parameter_count * bits / 8)


def _bits(quantization: str) -> float | None:
    match = _BITS.search(quantization.upper())
    return float(match.group(1)) if match and int(match.group(1)) > 0 else None
