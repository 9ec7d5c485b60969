"""How much memory a model takes: this file holds the estimate, from the header alone.

What it stands for is the resident memory of the worker process at its peak, once a request has
filled the context. How it compares with what workers really took: `docs/memory-fit.md`. Source of
the formulas: the llama.cpp that llama-cpp-python 0.3.36 builds, in the files named beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from smallhold.messages import JsonObject
from smallhold.models.fit.shape import ModelShape
from smallhold.models.fit.weight_layout import WeightLayout, weight_layout
from smallhold.models.gguf.header import read_gguf_header

SEQUENCES: Final = 64
"""Sequences of a context."""
RECURRENT_SEQUENCES: Final = 24
"""The same for a recurrent model, which has room for a whole state for each."""
OUTPUTS: Final = 64
"""Positions of a pass whose logits are wanted at most."""
SEGMENT_TOKENS: Final = 256
"""Cells for unpacking a piece of the prefix cache."""
CELL_STEP: Final = 256
"""Cells come in multiples of this. Source: `GGML_PAD(n_ctx, 256)` in `llama-context.cpp`."""
PROCESS_BYTES: Final = 76_000_000
"""A worker without a model: interpreter, numpy, llguidance and llama.cpp's libraries. Source:
`benchmarks/memory_fit.py`, the row `tiny`."""
VOCABULARY_BYTES: Final = 320
"""For each token of the vocabulary: llama.cpp's tables of tokens and merges. Source: resident
memory after loading, less buffers, of vocabularies of 277, 49,152 and 151,936 tokens."""
GRAMMAR_BYTES: Final = 320
"""For each token of the vocabulary: llguidance's trie, built while the worker first rests. Source:
the same, after resting."""
CELL_BYTES: Final = 500
"""For each cell: llama.cpp's account of it, and what the request that fills it knows of its token.
Source: `benchmarks/memory_fit.py`, contexts of one model compared."""
MIN_CACHE_BYTES: Final = 128 * 1024 * 1024
MAX_CACHE_BYTES: Final = 1024 * 1024 * 1024
"""Bounds of what a prefix cache takes by itself."""
_CACHE_SHARE: Final = 16
"""It may take a sixteenth of the memory, within these bounds."""
UNKNOWN_MARGIN: Final = 1.25
"""What keys, values and buffers are multiplied by when a model's numbers cannot be relied on."""
_LARGEST_VOCABULARY: Final = 262_144
"""Gemma 3's, the largest in use."""
_WIDTH_FACTOR: Final = 0.07
"""Layers times width is at most this times the number of weights to the power of 2/3; it is 0.066
for SmolLM2 135M, and less for all larger models."""
_USUAL_HEAD: Final = 64
_LIVE_STREAMS: Final = 5
"""Copies of the residual stream that are alive beside a layer's attention scores. Source: the sizes
that `sched_reserve` logs, which this explains to the byte for three models and five contexts."""
_RECURRENT_STREAMS: Final = 13
"""The same for a layer with a running state, whose inner width is twice that of the stream. Source:
what `sched_reserve` logs for a mamba and a granite hybrid."""
_KV_BYTES: Final = MappingProxyType({"f32": 4.0, "f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32})
_Q8_BYTES: Final = 292 / 256
_F16_BYTES: Final = 2
_F32_BYTES: Final = 4
_I64_BYTES: Final = 8
_AMX_GROWTH: Final = 1.03
"""Rearranged for AMX, four-bit weights take 148 bytes in place of 144."""
_AMX_FLAG: Final = "amx_int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """How a model would be loaded, as far as memory depends on it; defaults are the engine's."""

    context_tokens: int = 8192
    """Most tokens of prompt and answer of one request."""
    cells: int | None = None
    """Tokens of all running requests together; `None` is one and a half contexts."""
    kv_type: str = "f16"
    """How keys and values are stored: `f32`, `f16`, `q8_0` or `q4_0`."""
    batch_tokens: int = 256
    """Most tokens of one forward pass."""
    sequences: int | None = None
    """Sequences that the context can tell apart; `None` is the engine's number."""
    outputs: int = OUTPUTS
    """Most positions of a pass whose logits are wanted."""
    cache_bytes: int = MIN_CACHE_BYTES
    """Memory for the keys and values of prompts that wait for their next turn; the engine takes
    this much on a machine of 2 GB, and more on larger ones."""
    threads: int = 2
    gpu_layers: int = 0
    """Layers on a GPU; -1 is all."""
    flash_attention: bool = False
    use_mmap: bool | None = None
    """Whether the file is mapped; `None` decides as the engine does."""
    cpu_flags: frozenset[str] = frozenset()
    """Instruction sets of the CPU, on which the rearranging of weights depends."""
    adapter_bytes: int = 0
    """LoRA adapters, held beside the weights."""

    @property
    def total_cells(self) -> int:
        """What the engine makes of `cells`: room beside it, and whole steps."""
        asked = self.context_tokens * 3 // 2 if self.cells is None else self.cells
        return -(-(asked + self.outputs + SEGMENT_TOKENS) // CELL_STEP) * CELL_STEP

    @property
    def rows(self) -> int:
        """Most tokens of one pass, whatever they are for."""
        return max(self.batch_tokens, self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEstimate:
    """What a loaded model takes, in bytes of resident memory at its peak."""

    weights_bytes: int
    """Weights and adapters, mapped or copied."""
    kv_bytes: int
    """Keys, values and running states of the requests that run."""
    compute_bytes: int
    """Buffers of a forward pass, logits included."""
    cache_bytes: int
    """Limit of the prefix cache, which fills with use."""
    process_bytes: int
    """The worker process itself: interpreter, libraries, vocabulary."""
    draft_bytes: int = 0
    """The draft model, all told."""
    loading_bytes: int = 0
    """Most memory while the model is loading, where that is known."""
    reclaimable_bytes: int = 0
    """Part of `weights_bytes` that the system may drop, and read again from the file."""
    device_bytes: int = 0
    """Memory of the GPU, which no other figure counts."""
    is_conservative: bool = False
    """The architecture is unknown or says too little, or layers are on a GPU: what is assumed is
    on the safe side, and has not been measured."""

    @property
    def total_bytes(self) -> int:
        """Everything, with the prefix cache full."""
        return self.resident_bytes + self.cache_bytes

    @property
    def resident_bytes(self) -> int:
        """Everything but the prefix cache, at the peak of loading or of work."""
        working_bytes = (
            self.weights_bytes
            + self.kv_bytes
            + self.compute_bytes
            + self.process_bytes
            + self.draft_bytes
        )
        return max(working_bytes, self.loading_bytes)

    def to_dict(self) -> JsonObject:
        """The estimate as JSON."""
        return {
            "total_bytes": self.total_bytes,
            "resident_bytes": self.resident_bytes,
            "weights_bytes": self.weights_bytes,
            "kv_bytes": self.kv_bytes,
            "compute_bytes": self.compute_bytes,
            "cache_bytes": self.cache_bytes,
            "process_bytes": self.process_bytes,
            "draft_bytes": self.draft_bytes,
            "loading_bytes": self.loading_bytes,
            "reclaimable_bytes": self.reclaimable_bytes,
            "device_bytes": self.device_bytes,
            "is_conservative": self.is_conservative,
        }


def usual_cache_bytes(memory_bytes: int) -> int:
    """Say what a prefix cache takes when nothing else is said.

    Args:
        memory_bytes: Of the machine, or what a model may take of it.
    """
    return min(MAX_CACHE_BYTES, max(MIN_CACHE_BYTES, memory_bytes // _CACHE_SHARE))


def estimate_memory(
    shape: ModelShape,
    *,
    weights_bytes: int,
    plan: MemoryPlan | None = None,
    layout: WeightLayout | None = None,
) -> MemoryEstimate:
    """Estimate what a model takes.

    Args:
        shape: Of its header or of the catalog.
        weights_bytes: Bytes of all tensors, about the file's size.
        plan: How it is loaded; the engine's defaults when left out.
        layout: How its weights are held, which only a file tells. When left out it is guessed, at
            a few per cent of the weights.
    """
    plan = plan or MemoryPlan()
    layout = layout or _guessed_layout(shape, weights_bytes, plan)
    whole = assumed_shape(shape, weights_bytes=weights_bytes)
    margin = 1.0 if shape.is_known else UNKNOWN_MARGIN
    is_mapped = layout.is_mapping_worthwhile if plan.use_mmap is None else plan.use_mmap
    starting_bytes = PROCESS_BYTES + VOCABULARY_BYTES * whole.vocabulary_size
    on_cpu = MemoryEstimate(
        weights_bytes=layout.resident_bytes(is_mapped=is_mapped) + plan.adapter_bytes,
        kv_bytes=int(margin * kv_bytes(whole, plan)),
        compute_bytes=int(margin * compute_bytes(whole, plan)),
        cache_bytes=plan.cache_bytes,
        process_bytes=starting_bytes
        + GRAMMAR_BYTES * whole.vocabulary_size
        + CELL_BYTES * plan.total_cells,
        loading_bytes=layout.loading_bytes(is_mapped=is_mapped) + starting_bytes,
        reclaimable_bytes=layout.mapped_bytes if is_mapped else 0,
        is_conservative=not shape.is_known,
    )
    return _with_gpu(on_cpu, shape=whole, weights_bytes=weights_bytes, plan=plan)


def estimate_file(path: Path, plan: MemoryPlan | None = None) -> MemoryEstimate:
    """Estimate what a GGUF file takes once it is loaded; only its header is read.

    Raises:
        InvalidGGUFError: the header is not sound.
    """
    plan = plan or MemoryPlan()
    header = read_gguf_header(path)
    return estimate_memory(
        ModelShape.of(header),
        weights_bytes=header.tensor_bytes,
        plan=plan,
        layout=weight_layout(header, cpu_flags=plan.cpu_flags),
    )


def kv_bytes(shape: ModelShape, plan: MemoryPlan) -> int:
    """Bytes of keys, values and running states.

    Source: `llama-kv-cache.cpp` and `llama-memory-recurrent.cpp`. All of it is written when the
    context is made.
    """
    element_bytes = _KV_BYTES.get(plan.kv_type, _KV_BYTES["f32"])
    elements = shape.key_elements + shape.value_elements
    states = shape.recurrent_layers * shape.recurrent_elements * _sequences(shape, plan)
    return int(elements * plan.total_cells * element_bytes) + states * _F32_BYTES


def compute_bytes(shape: ModelShape, plan: MemoryPlan) -> int:
    """Bytes of the buffers that a forward pass works in.

    They are the largest of a pass's stages (they share one buffer), the logits that are handed out,
    and the room in which the operands of a product are converted. Source: `llama-graph.cpp`,
    `llama-context.cpp` and `ggml_graph_plan` in `ggml-cpu.c`.
    """
    logits = plan.outputs * shape.vocabulary_size * _F32_BYTES
    streams = (plan.rows + 2 * plan.outputs) * shape.embedding_length * _F32_BYTES
    largest = max(
        _attention_bytes(shape, plan),
        _feed_forward_bytes(shape, plan),
        _recurrent_bytes(shape, plan),
        logits + streams,
    )
    return largest + logits + _conversion_bytes(shape, plan)


def assumed_shape(shape: ModelShape, *, weights_bytes: int) -> ModelShape:
    """Fill in what a shape does not say, with more than any real model of its size has."""
    if shape.is_known:
        return shape
    weights = 2 * weights_bytes  # of four bits each
    blocks = shape.block_count or 1
    total_width = max(1, int(_WIDTH_FACTOR * weights ** (2 / 3)))
    width = shape.embedding_length or -(-total_width // blocks)
    heads = shape.head_count or max(1, width // _USUAL_HEAD)
    length = shape.key_length or max(1, width // heads)
    return replace(
        shape,
        block_count=blocks,
        embedding_length=width,
        feed_forward_length=shape.feed_forward_length or 4 * width,
        head_count=heads,
        head_count_kv=shape.head_count_kv or heads,
        key_length=length,
        value_length=shape.value_length or length,
        vocabulary_size=shape.vocabulary_size or _LARGEST_VOCABULARY,
        attention_layers=None,
    )


def _sequences(shape: ModelShape, plan: MemoryPlan) -> int:
    if plan.sequences is not None:
        return plan.sequences
    return RECURRENT_SEQUENCES if shape.recurrent_layers else SEQUENCES


def _attention_bytes(shape: ModelShape, plan: MemoryPlan) -> int:
    cells, rows = plan.total_cells, plan.rows
    width = max(shape.embedding_length, shape.head_count * shape.key_length)
    streams = _LIVE_STREAMS * rows * width * _F32_BYTES
    if not shape.kv_layers:
        return streams
    masks = rows * cells * (2 if shape.sliding_window else 1)
    if plan.flash_attention:
        return streams + masks * _F16_BYTES
    scores = shape.head_count * rows * cells * _F32_BYTES
    places = rows * shape.head_count_kv * shape.value_length * _I64_BYTES
    return streams + masks * _F32_BYTES + scores + places


def _recurrent_bytes(shape: ModelShape, plan: MemoryPlan) -> int:
    if not shape.recurrent_layers:
        return 0
    states = 2 * shape.recurrent_elements * _sequences(shape, plan)
    return (states + plan.rows * _RECURRENT_STREAMS * shape.embedding_length) * _F32_BYTES


def _feed_forward_bytes(shape: ModelShape, plan: MemoryPlan) -> int:
    width = shape.feed_forward_length * max(1, shape.experts_used)
    return plan.rows * (3 * width + _LIVE_STREAMS * shape.embedding_length) * _F32_BYTES


def _conversion_bytes(shape: ModelShape, plan: MemoryPlan) -> int:
    """Bytes in which a product's operand is rewritten in the other's type.

    Quantized weights are multiplied with numbers of 8 bits, and values of 16 bits with scores of 16
    bits, all of which are converted first.
    """
    widest = max(shape.feed_forward_length, shape.embedding_length) * _Q8_BYTES
    if shape.kv_layers and not plan.flash_attention and plan.kv_type != "f32":
        widest = max(widest, shape.head_count * plan.total_cells * _F16_BYTES)
    return int(plan.rows * widest)


def _guessed_layout(shape: ModelShape, weights_bytes: int, plan: MemoryPlan) -> WeightLayout:
    copied_bytes = weights_bytes
    if _AMX_FLAG in plan.cpu_flags:
        # The output may be the embedding table, which then is there in both orders.
        table_bytes = shape.vocabulary_size * shape.embedding_length
        copied_bytes = int(_AMX_GROWTH * weights_bytes) + table_bytes
    return WeightLayout(
        plain_bytes=copied_bytes,
        rearranged_bytes=0,
        mapped_bytes=copied_bytes,
        file_bytes=copied_bytes,
        staged_bytes=0,
    )


def _with_gpu(
    estimate: MemoryEstimate, *, shape: ModelShape, weights_bytes: int, plan: MemoryPlan
) -> MemoryEstimate:
    """Move the share of the layers that are on a GPU there; the embedding table stays."""
    layers = shape.block_count + 1
    on_gpu = layers if plan.gpu_layers < 0 else min(plan.gpu_layers, layers)
    if not on_gpu:
        return estimate
    ratio = on_gpu / layers
    kv_bytes_there = int(ratio * estimate.kv_bytes)
    return replace(
        estimate,
        weights_bytes=estimate.weights_bytes
        - int(ratio * estimate.weights_bytes)
        + shape.vocabulary_size * shape.embedding_length,
        kv_bytes=estimate.kv_bytes - kv_bytes_there,
        device_bytes=int(ratio * weights_bytes) + kv_bytes_there + estimate.compute_bytes,
        is_conservative=True,
    )
