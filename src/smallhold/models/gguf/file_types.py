"""What a model's weights can be written as: this file holds the quantizations of the engine.

Source: `llama_ftype_get_default_type` in `llama-quant.cpp` of the llama.cpp that llama-cpp-python
0.3.36 builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smallhold.exceptions import UnknownQuantizationError
from smallhold.models.gguf.ggml_types import FILE_TYPES, GGML_TYPES
from smallhold.models.gguf.header import GGUFHeader

_DEFAULT_TYPES: Final[Mapping[str, str]] = MappingProxyType({
    **{name: name for name in ("F32", "F16", "BF16", "Q8_0", "Q6_K")},
    **{name: name for name in ("Q5_1", "Q5_0", "Q4_1", "Q4_0", "Q2_K")},
    **dict.fromkeys(("Q5_K_M", "Q5_K_S"), "Q5_K"),
    **dict.fromkeys(("Q4_K_M", "Q4_K_S"), "Q4_K"),
    **dict.fromkeys(("Q3_K_L", "Q3_K_M", "Q3_K_S"), "Q3_K"),
    **{name: name for name in ("IQ4_NL", "IQ4_XS", "IQ3_S", "IQ3_XXS")},
    **dict.fromkeys(("IQ3_M", "IQ3_XS"), "IQ3_S"),
    "IQ2_M": "IQ2_S",
    "IQ2_S": "IQ2_XS",
    "IQ2_XS": "IQ2_XS",
    "IQ2_XXS": "IQ2_XXS",
    "Q2_K_S": "Q2_K",
    "IQ1_M": "IQ1_M",
    "IQ1_S": "IQ1_S",
    "TQ1_0": "TQ1_0",
    "TQ2_0": "TQ2_0",
})
"""The type of most tensors, by the name of the file's quantization."""
FULL_TYPES: Final = frozenset({"F64", "F32", "F16", "BF16"})
"""Types of weights that have lost nothing yet."""
_WITHOUT_ERROR: Final = frozenset({"I8", "I16", "I32", "I64"})
_BITS_PER_BYTE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """A quantization that a file can be written in."""

    name: str
    """Such as `Q4_K_M`."""
    number: int
    """Value of `general.file_type`."""
    bits_per_weight: float
    """Of most tensors; embeddings and output often get more."""


WRITABLE: Final[Mapping[str, FileType]] = MappingProxyType({
    name: FileType(
        name=name,
        number=next(number for number, known in FILE_TYPES.items() if known == name),
        bits_per_weight=next(
            _BITS_PER_BYTE * kind.block_bytes / kind.block_elements
            for kind in GGML_TYPES.values()
            if kind.name == default
        ),
    )
    for name, default in _DEFAULT_TYPES.items()
})
"""What the engine can write, by name."""


def file_type_named(name: str) -> FileType:
    """Find a quantization by its name in any case.

    Raises:
        UnknownQuantizationError: there is none; the error lists them.
    """
    found = WRITABLE.get(name.strip().upper())
    if found is None:
        raise UnknownQuantizationError(quantization=name, known=tuple(WRITABLE))
    return found


def is_quantized(header: GGUFHeader) -> bool:
    """Whether some of a file's weights have lost precision."""
    return any(tensor.type_name not in FULL_TYPES | _WITHOUT_ERROR for tensor in header.tensors)


def bits_per_weight(header: GGUFHeader) -> float:
    """Bits that a file spends on a weight, on average; 0 for a file without weights."""
    weights = header.parameter_count
    return _BITS_PER_BYTE * header.tensor_bytes / weights if weights else 0.0
