"""Making a smaller file of a model: this file holds the way to the engine's own quantizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.engine.job import (
    JobFailed,
    JobProgress,
    JobReply,
    Quantized,
    QuantizeJob,
    path_bytes,
)
from smallhold.engine.job_process import run_job
from smallhold.exceptions import AlreadyQuantizedError, ConfigError, QuantizingError
from smallhold.models.gguf.file_types import FileType, is_quantized
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header

_SPLIT_KEY: Final = "split.count"
_PADDING_BYTES: Final = 64 * 1024
"""Room for what alignment adds; tensors are padded to 32 bytes."""

OnTensor = Callable[[int, int, str], None]
"""Told the number of the tensor that is being written, how many there are, and its name."""


def _ignore_tensor(number: int, total: int, name: str) -> None:
    del number, total, name


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeOrder:
    """What to make of which file."""

    source: Path
    name: str
    """Of the source, for errors."""
    file_type: FileType
    threads: int
    may_requantize: bool = False
    """Whether a source that is quantized already may be used, at a further loss."""
    importance: Path | None = None
    """GGUF file that says which weights matter, as llama.cpp's `imatrix` tool writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizePlan:
    """What will come of an order."""

    source: GGUFHeader
    size_bytes: int
    """Of the file, at most."""
    fallback_tensors: int
    """Tensors of a shape that the type does not allow, which get a larger one."""


def plan_quantizing(order: QuantizeOrder) -> QuantizePlan:
    """Check an order and find out how large its file will be; nothing is written.

    Raises:
        InvalidGGUFError: the source or the importance matrix is not sound.
        AlreadyQuantizedError: the source has lost precision before, and the order does not allow
            that.
        ConfigError: the type needs an importance matrix, or the source is one piece of several.
        QuantizingError: the engine refuses the source.
        EngineNotInstalledError: the native part is missing.
    """
    header = read_gguf_header(order.source)
    _check_source(order, header)
    if order.importance is not None:
        read_gguf_header(order.importance)
    done = _run(order, order.source, is_trial=True)
    if done.needs_importance and order.importance is None:
        raise ConfigError(
            field="importance matrix",
            value=None,
            remedy=f"give one with --imatrix: {order.file_type.name} is too small without",
        )
    return QuantizePlan(
        source=header,
        size_bytes=header.data_offset_bytes + done.tensor_bytes + _PADDING_BYTES,
        fallback_tensors=done.fallback_tensors,
    )


def quantize(
    order: QuantizeOrder, target: Path, *, on_tensor: OnTensor = _ignore_tensor
) -> GGUFHeader:
    """Write the file of an order; takes about a second for each 100 million weights.

    Args:
        order: An order that `plan_quantizing` found sound.
        target: Where to; whatever is there is overwritten, and removed if this fails.
        on_tensor: Called in this thread as each tensor is begun.

    Returns:
        Header of the new file, found sound.

    Raises:
        QuantizingError: the engine refused, crashed or hung.
        InvalidGGUFError: what it wrote is not sound.
        EngineNotInstalledError: the native part is missing.
    """
    is_written = False
    try:
        _run(order, target, is_trial=False, on_tensor=on_tensor)
        header = read_gguf_header(target)
        is_written = True
    finally:
        if not is_written:
            target.unlink(missing_ok=True)
    return header


def _check_source(order: QuantizeOrder, header: GGUFHeader) -> None:
    pieces = header.metadata.get(_SPLIT_KEY)
    if isinstance(pieces, int) and pieces > 1:
        raise ConfigError(
            field="source",
            value=str(order.source),
            remedy=f"join its {pieces} pieces with llama.cpp's gguf-split first",
        )
    if is_quantized(header) and not order.may_requantize:
        raise AlreadyQuantizedError(
            source=order.name,
            quantization=header.file_type or "mixed types",
            target=order.file_type.name,
        )


def _run(
    order: QuantizeOrder, target: Path, *, is_trial: bool, on_tensor: OnTensor = _ignore_tensor
) -> Quantized:
    job = QuantizeJob(
        source=path_bytes(order.source),
        target=path_bytes(target),
        file_type=order.file_type.number,
        threads=order.threads,
        may_requantize=order.may_requantize,
        is_trial=is_trial,
        importance=None if order.importance is None else path_bytes(order.importance),
    )

    def follow(step: JobProgress) -> None:
        on_tensor(step.done, step.total, step.subject)

    return _quantized(run_job(job, on_progress=follow), source=order.name)


def _quantized(reply: JobReply, *, source: str) -> Quantized:
    match reply:
        case Quantized():
            return reply
        case JobFailed(problem=problem):
            raise QuantizingError(source=source, problem=problem)
        case other:
            problem = f"the engine answered with {type(other).__name__}"
            raise QuantizingError(source=source, problem=problem)
