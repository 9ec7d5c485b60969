"""Which weights matter: this file holds the reader of importance matrices.

A matrix tells, for each weight that is multiplied with, how strong its input was on some text; a
quantizer then errs where it matters least. Source of the layout: `tools/imatrix` of llama.cpp,
format GGUF: for each tensor the sums of squared inputs (`NAME.in_sum2`) and how many inputs were
counted (`NAME.counts`), one row of sums and one count for each expert.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.gguf.tensors import TensorInfo

_SUMS: Final = ".in_sum2"
_COUNTS: Final = ".counts"
_FLOAT: Final = "F32"


def read_importance(path: Path) -> Mapping[str, NDArray[np.float32]]:
    """Read mean squared inputs by the name of the tensor that they are multiplied with.

    Raises:
        InvalidGGUFError: the file is not sound, or no importance matrix.
    """
    header = read_gguf_header(path)
    tensors = {tensor.name: tensor for tensor in header.tensors}
    names = [name.removesuffix(_SUMS) for name in tensors if name.endswith(_SUMS)]
    if not names or any(f"{name}{_COUNTS}" not in tensors for name in names):
        raise InvalidGGUFError(path=str(path), problem="it holds no importance matrix")
    return {
        name: _means(
            _read(path, header, tensors[f"{name}{_SUMS}"]),
            _read(path, header, tensors[f"{name}{_COUNTS}"]),
            path=path,
        )
        for name in names
    }


def _read(path: Path, header: GGUFHeader, tensor: TensorInfo) -> NDArray[np.float32]:
    if tensor.type_name != _FLOAT:
        problem = f"{tensor.name} is {tensor.type_name} in place of {_FLOAT}"
        raise InvalidGGUFError(path=str(path), problem=problem)
    start = header.data_offset_bytes + tensor.offset_bytes
    return np.fromfile(path, dtype="<f4", count=tensor.element_count, offset=start)


def _means(
    sums: NDArray[np.float32], counts: NDArray[np.float32], *, path: Path
) -> NDArray[np.float32]:
    if not len(counts) or len(sums) % len(counts) or not np.isfinite(sums).all():
        raise InvalidGGUFError(path=str(path), problem="its sums and counts do not fit together")
    rows = sums.reshape(len(counts), -1)
    each = counts[:, np.newaxis]
    # An expert that no token was sent to has no say; all its weights count alike.
    means = np.where(each > 0, rows / np.maximum(each, 1.0), 1.0)
    return means.astype(np.float32).ravel()
