"""How an engine holds the weights of a file: this file holds which tensors a CPU has rearranged.

llama.cpp multiplies some types of weights faster when their blocks are interleaved for the CPU's
instructions. It rearranges such tensors while loading, into memory of their own; all others are
used as they lie in the file. A mapped file stays in memory beside the copies, from the first tensor
that is used in place to the last. Source: `llama_model_loader` of the llama.cpp that
llama-cpp-python 0.3.36 builds (`load_all_data`, `select_weight_buft`), and the conditions in its
`ggml-cpu/amx` and `ggml-cpu/repack.cpp`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.gguf.tensors import TensorInfo
from smallhold.models.machine.hardware import Hardware

_USUAL_FLAGS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({
    **dict.fromkeys(("x86_64", "amd64"), frozenset({"avx2"})),
    **dict.fromkeys(("aarch64", "arm64"), frozenset({"asimddp"})),
})
_AMX_FLAGS: Final = frozenset({"amx_int8", "avx512_vnni"})
_AMX_ROWS: Final = 32
"""Rows must come in pairs of tiles. Source: `2 * TILE_N` in `amx/common.h`."""
_AMX_COLUMNS: Final[Mapping[str, int]] = MappingProxyType({
    **dict.fromkeys(("Q4_0", "Q4_1", "Q8_0"), 32),
    **dict.fromkeys(("Q4_K", "Q5_K", "Q6_K", "IQ4_XS"), 256),
    "F16": 16,
})
"""What the width of a row must be a multiple of. Source: `supports_op` in `amx/amx.cpp`."""
_AMX_EXTRA_BYTES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({
    "Q8_0": (32, 4),
    "Q4_K": (256, 4),
    "Q5_K": (256, 4),
    "IQ4_XS": (256, 2),
})
"""Weights in a block, and bytes that a block grows by. Source: `get_row_size` in `amx/mmq.cpp`."""
_REPACKED: Final[tuple[tuple[str, frozenset[str], int], ...]] = (
    ("avx2", frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"}), 8),
    ("avx512f", frozenset({"Q2_K"}), 8),
    ("asimddp", frozenset({"Q4_K", "Q5_K", "Q6_K"}), 8),
    ("asimddp", frozenset({"Q4_0", "IQ4_NL", "MXFP4", "Q8_0"}), 4),
    ("i8mm", frozenset({"Q1_0"}), 4),
)
"""CPU flag, types, and what the number of rows must be a multiple of. Source:
`ggml_repack_get_optimal_repack_type` in `repack.cpp`."""
_LOOKED_UP: Final = frozenset({
    *("position_embd.weight", "token_types.weight", "per_layer_token_embd.weight"),
})
"""Tables of which rows are looked up; all other matrices are multiplied with. Source:
`llama-arch.cpp`."""
EMBEDDING_TENSOR: Final = "token_embd.weight"
OUTPUT_TENSOR: Final = "output.weight"
_MATRIX_DIMENSIONS: Final = 2
_EXPERT_DIMENSIONS: Final = 3
MAX_DOUBLED_RATIO: Final = 0.25
"""A file is mapped unless more than this share of it would lie in memory twice. Below that, what
is used in place outweighs it: such pages load at once, and processes share them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightLayout:
    """Bytes of weights by how they are held."""

    plain_bytes: int
    """Tensors that are used as they lie in the file."""
    rearranged_bytes: int
    """Copies made for this CPU."""
    mapped_bytes: int
    """From the first plain tensor in the file to the end of the last one."""
    file_bytes: int
    staged_bytes: int
    """The largest tensor that is read whole before it is rearranged, where the file is not
    mapped."""

    @property
    def is_mapping_worthwhile(self) -> bool:
        """Whether so little would lie in memory twice that the file should be mapped."""
        return self.mapped_bytes - self.plain_bytes <= MAX_DOUBLED_RATIO * self.file_bytes

    def resident_bytes(self, *, is_mapped: bool) -> int:
        """Bytes in memory once the model is loaded."""
        return self.rearranged_bytes + (self.mapped_bytes if is_mapped else self.plain_bytes)

    def loading_bytes(self, *, is_mapped: bool) -> int:
        """Most bytes in memory while it is loading.

        A mapped file is read ahead as a whole. Source: `MAP_POPULATE` in `llama-mmap.cpp`.
        """
        if is_mapped:
            return self.rearranged_bytes + self.file_bytes
        return self.plain_bytes + max(self.rearranged_bytes, 2 * self.staged_bytes)


def weight_layout(header: GGUFHeader, *, cpu_flags: Collection[str]) -> WeightLayout:
    """Tell how an engine built for a CPU holds a file's weights.

    Args:
        header: Of the file.
        cpu_flags: Instruction sets, by the names of `CPU_FLAGS`.
    """
    plain: list[TensorInfo] = []
    rearranged: list[int] = []
    staged = 0
    names = {tensor.name for tensor in header.tensors}
    for tensor in header.tensors:
        copy_bytes = _copy_bytes(tensor, names=names, cpu_flags=cpu_flags)
        if copy_bytes is None or tensor.name == EMBEDDING_TENSOR:
            # Rows are looked up in the embedding table, for which it stays as it is, also where the
            # output is the same table in another order.
            plain.append(tensor)
        if copy_bytes is not None:
            rearranged.append(copy_bytes)
            staged = max(staged, tensor.size_bytes)
    first = min((tensor.offset_bytes for tensor in plain), default=0)
    last = max((tensor.offset_bytes + tensor.size_bytes for tensor in plain), default=0)
    return WeightLayout(
        plain_bytes=sum(tensor.size_bytes for tensor in plain),
        rearranged_bytes=sum(rearranged),
        mapped_bytes=last - first,
        file_bytes=header.file_bytes,
        staged_bytes=staged,
    )


def _copy_bytes(
    tensor: TensorInfo, *, names: Collection[str], cpu_flags: Collection[str]
) -> int | None:
    """Bytes of a tensor's copy for this CPU; `None` where it is used as it lies."""
    is_tied_output = tensor.name == EMBEDDING_TENSOR and OUTPUT_TENSOR not in names
    is_table = tensor.name == EMBEDDING_TENSOR or tensor.name in _LOOKED_UP
    if (is_table and not is_tied_output) or not tensor.name.endswith(".weight"):
        return None
    dimensions = len(tensor.shape)
    if dimensions == _MATRIX_DIMENSIONS and set(cpu_flags) >= _AMX_FLAGS and _fits_amx(tensor):
        block, extra_bytes = _AMX_EXTRA_BYTES.get(tensor.type_name, (1, 0))
        return tensor.size_bytes + tensor.element_count // block * extra_bytes
    if dimensions in {_MATRIX_DIMENSIONS, _EXPERT_DIMENSIONS} and any(
        flag in cpu_flags and tensor.type_name in types and tensor.shape[1] % rows == 0
        for flag, types, rows in _REPACKED
    ):
        return tensor.size_bytes
    return None


def _fits_amx(tensor: TensorInfo) -> bool:
    columns = _AMX_COLUMNS.get(tensor.type_name)
    width, rows = tensor.shape
    return columns is not None and width % columns == 0 and rows % _AMX_ROWS == 0


def kernel_flags(hardware: Hardware) -> frozenset[str]:
    """Instruction sets that an engine built on a machine uses.

    Where the system does not tell, they are those that every machine of this decade has.
    """
    if hardware.cpu_flags:
        return hardware.cpu_flags
    return _USUAL_FLAGS.get(hardware.machine.lower(), frozenset())


def should_map(path: Path, *, hardware: Hardware) -> bool:
    """Whether a file should be mapped on a machine, rather than read.

    A file that is not sound is mapped, so that whoever loads it can say what is wrong with it.
    """
    try:
        header = read_gguf_header(path)
    except InvalidGGUFError:
        return True
    return weight_layout(header, cpu_flags=kernel_flags(hardware)).is_mapping_worthwhile
