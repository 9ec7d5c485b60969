"""Every native call of the engine: this file holds the wrappers around llama.cpp's C API.

Runs only inside a worker process. Handles are freed by an `ExitStack`, in the reverse order of
their creation. Errors of llama.cpp arrive as return codes and log lines; both are turned into
typed errors here.
"""

# llama_cpp's ctypes functions are typed by decorators that strict mode cannot see through.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from smallhold.engine.batch import Batch
from smallhold.engine.config import KVType, ModelConfig, Numa
from smallhold.engine.job import QuantizeJob
from smallhold.engine.program import Mode
from smallhold.exceptions import (
    DecodeError,
    EngineNotInstalledError,
    ModelLoadError,
    QuantizingError,
)

MAX_SEQUENCES: Final = 64
"""Sequences per context: cached prefixes and the branches of a scored choice."""
MAX_OUTPUTS: Final = 64
"""Positions per pass whose logits are wanted. Bounds the output buffer: 64 rows of 151,936 floats
are 39 MB, while llama.cpp's default of one row per batch token would be 311 MB."""
RECURRENT_SEQUENCES: Final = 24
"""A recurrent model allocates a whole state for each sequence, 2 MB and more."""
SEGMENT_TOKENS: Final = 256
"""Most positions that are serialised together: 3 MB at 0.5B, 1 ms to save or restore."""
_LOG_ERROR_LEVEL: Final = 4
"""`GGML_LOG_LEVEL_ERROR`."""
_NUMA: Final = {Numa.DISTRIBUTE: 1, Numa.ISOLATE: 2, Numa.NUMACTL: 3}
"""Values of `enum ggml_numa_strategy`."""
_KV_TYPES: Final = {
    KVType.F32: llama_cpp.GGML_TYPE_F32,
    KVType.F16: llama_cpp.GGML_TYPE_F16,
    KVType.Q8_0: llama_cpp.GGML_TYPE_Q8_0,
    KVType.Q4_0: llama_cpp.GGML_TYPE_Q4_0,
}
_OUT_OF_MEMORY: Final = -2
"""What `llama_decode` returns for `GGML_STATUS_ALLOC_FAILED`."""
_PIECE_BUFFER_BYTES: Final = 1024
_ADDS_ENDS: Final = False
"""Begin and end tokens belong to the chat template."""
_SHOWS_CONTROLS: Final = True
"""Control tokens have a text too: their spelling."""

Handle = TypeVar("Handle")

_recent_errors: deque[str] = deque(maxlen=8)


@llama_cpp.llama_log_callback
def _keep_errors(level: int, text: bytes, _user_data: object) -> None:
    if level == _LOG_ERROR_LEVEL:
        _recent_errors.append(text.decode("utf-8", "replace").strip())


def _last_error(default: str) -> str:
    return "; ".join(_recent_errors) or default


def _loaded(handle: Handle | None, config: ModelConfig) -> Handle:
    if handle is None:
        raise ModelLoadError(
            path=str(config.path), problem=_last_error("there is not enough memory")
        )
    return handle


class Model:
    """A loaded model with its vocabulary.

    Raises:
        ModelLoadError: llama.cpp refused the file.
    """

    def __init__(self, config: ModelConfig, *, stack: ExitStack) -> None:
        self.config = config
        llama_cpp.llama_log_set(_keep_errors, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        if config.numa is not Numa.OFF:
            llama_cpp.llama_numa_init(_NUMA[config.numa])
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = config.gpu_layers
        params.load_mode = _load_mode(config)
        handle = _loaded(
            llama_cpp.llama_model_load_from_file(os.fsencode(config.path), params), config
        )
        self.handle = handle
        stack.callback(llama_cpp.llama_model_free, handle)
        self.vocab = _loaded(llama_cpp.llama_model_get_vocab(handle), config)
        self.n_vocab: int = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.adds_bos: bool = llama_cpp.llama_vocab_get_add_bos(self.vocab)
        self.bos = cast("int", llama_cpp.llama_vocab_bos(self.vocab))
        self.eos = cast("int", llama_cpp.llama_vocab_eos(self.vocab))
        self.n_embd: int = llama_cpp.llama_model_n_embd(handle)
        self.is_recurrent: bool = llama_cpp.llama_model_is_recurrent(
            handle
        ) or llama_cpp.llama_model_is_hybrid(handle)
        """Its memory is a running state, which can be copied whole but not cut."""
        self.keeps_whole_states: bool = self.is_recurrent or llama_cpp.llama_model_n_swa(handle) > 0
        """A serialised sequence can be continued only where it ends: of a sliding window, cells
        that later positions do not see are left out."""
        self.trained_context_tokens: int = llama_cpp.llama_model_n_ctx_train(handle)
        user_defined = llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        control = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
        # One scan, which takes 0.1 s.
        kinds = {
            token: kind
            for token in range(self.n_vocab)
            if (kind := llama_cpp.llama_vocab_get_attr(self.vocab, token))
            & (control | user_defined)
        }
        self.special_tokens: frozenset[int] = frozenset(kinds)
        """Tokens that are more than their spelling, and those that a user has added."""
        self.control_tokens: frozenset[int] = frozenset(
            token for token, kind in kinds.items() if kind & control
        )
        self.end_tokens: frozenset[int] = frozenset(
            token
            for token in (*self.special_tokens, self.eos)
            if llama_cpp.llama_vocab_is_eog(self.vocab, token)
        )
        self._piece_buffer = ctypes.create_string_buffer(_PIECE_BUFFER_BYTES)

    def chat_template(self) -> str | None:
        """Read the template that the file itself carries."""
        text = llama_cpp.llama_model_chat_template(self.handle, None)
        return None if text is None else text.decode("utf-8", "replace")

    def description(self) -> str:
        """Name architecture, size and quantization, such as `qwen2 1B Q4_K - Medium`."""
        buffer = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """Turn text into token ids, without adding begin or end tokens.

        Args:
            text: Any text.
            parse_special: Read `<|im_end|>` and its like as control tokens. Only for text that
                no user, tool or document has written.
        """
        if not text:
            return []
        data = text.encode()
        capacity = len(data) + 8
        while True:
            buffer = (llama_cpp.llama_token * capacity)()
            count = llama_cpp.llama_tokenize(
                self.vocab, data, len(data), buffer, capacity, _ADDS_ENDS, parse_special
            )
            if count >= 0:
                return list(buffer[:count])
            capacity = -count

    def piece(self, token: int) -> bytes:
        """Give the bytes that a token stands for; a piece of a UTF-8 character is possible."""
        size = llama_cpp.llama_token_to_piece(
            self.vocab, token, self._piece_buffer, _PIECE_BUFFER_BYTES, 0, _SHOWS_CONTROLS
        )
        if size >= 0:
            return self._piece_buffer.raw[:size]
        larger = ctypes.create_string_buffer(-size)
        size = llama_cpp.llama_token_to_piece(self.vocab, token, larger, -size, 0, _SHOWS_CONTROLS)
        return larger.raw[:size]

    def special_texts(self) -> set[str]:
        """Give the spellings that tokenization reads as control tokens."""
        return {
            text
            for token in self.special_tokens
            if (text := self.piece(token).decode("utf-8", "replace"))
        }

    def token_text(self, token: int) -> str:
        """Give a token's text as the chat template would write it, `""` for no token."""
        return "" if token < 0 else self.piece(token).decode("utf-8", "replace")


class Context:
    """Keys, values and buffers for evaluating one model; one caller at a time.

    Raises:
        ModelLoadError: there is not enough memory for the context, or an adapter does not fit.
    """

    def __init__(self, model: Model, *, stack: ExitStack) -> None:
        config = model.config
        self.model = model
        params = llama_cpp.llama_context_default_params()
        # A scored prompt may fill the context, and its choices come after it; a segment is unpacked
        # whole, even if only its beginning is wanted.
        params.n_ctx = config.cells + MAX_OUTPUTS + SEGMENT_TOKENS
        params.n_batch = max(config.batch_tokens, MAX_OUTPUTS)
        params.n_ubatch = params.n_batch
        self.n_sequences = RECURRENT_SEQUENCES if model.is_recurrent else MAX_SEQUENCES
        params.n_seq_max = self.n_sequences
        params.n_outputs_max = MAX_OUTPUTS
        params.kv_unified = True
        # A window's cells could not be forked or cut behind its length.
        params.swa_full = True
        params.no_perf = True
        params.flash_attn_type = int(config.uses_flash_attention)
        params.type_k = params.type_v = _KV_TYPES[config.kv_type]
        params.n_threads = config.threads or 1
        params.n_threads_batch = config.batch_threads or params.n_threads
        handle = _loaded(llama_cpp.llama_init_from_model(model.handle, params), config)
        self.handle = handle
        stack.callback(llama_cpp.llama_free, handle)
        self.memory = _loaded(llama_cpp.llama_get_memory(handle), config)
        self.capacity_tokens: int = llama_cpp.llama_n_ctx(handle)
        self.batch_tokens: int = llama_cpp.llama_n_batch(handle)
        self._adapters = {name: _adapter(model, path) for name, path in config.adapters.items()}
        self._mode = Mode()

    def decode(self, batch: Batch, mode: Mode) -> None:
        """Run one forward pass; its outputs are then readable with `logits` or `hidden`.

        Raises:
            DecodeError: no free cells, or the computation failed.
            MemoryError: the system gave no memory for it.
        """
        _recent_errors.clear()
        self._enter(mode)
        flat = np.asarray(
            [sequence for group in batch.sequences for sequence in group], dtype=np.int32
        )
        counts = np.asarray([len(group) for group in batch.sequences], dtype=np.int32)
        offsets = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.uint64)
        pointers = flat.ctypes.data + offsets * flat.itemsize
        native = llama_cpp.llama_batch(
            n_tokens=len(batch.tokens),
            token=batch.tokens.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token)),
            embd=None,
            pos=batch.positions.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_pos)),
            n_seq_id=counts.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=pointers.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(llama_cpp.llama_seq_id))),
            logits=batch.wants_output.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        status = llama_cpp.llama_decode(self.handle, native)
        if status == _OUT_OF_MEMORY:
            raise MemoryError
        if status != 0:
            raise DecodeError(
                problem=_last_error("no free cells") if status != 1 else "the KV cache is full"
            )

    def limit_threads(self, limit: int | None) -> tuple[int, int]:
        """Compute later passes with at most so many threads; `None` is what was configured.

        Returns:
            Threads for tokens and for reading prompts.
        """
        config = self.model.config
        threads = config.threads or 1
        batch_threads = config.batch_threads or threads
        if limit is not None:
            threads, batch_threads = min(threads, limit), min(batch_threads, limit)
        llama_cpp.llama_set_n_threads(self.handle, threads, batch_threads)
        return threads, batch_threads

    def outputs(self, offset: int) -> PassOutputs:
        """Give the outputs of a step whose first token stood at this place in the pass."""
        return PassOutputs(self, offset)

    def logits(self, index: int) -> NDArray[np.float32]:
        """Give the logits after the batch's token `index`, float32 [n_vocab].

        A view into llama.cpp's buffer: valid until the next pass, and free to write into.
        """
        pointer = llama_cpp.llama_get_logits_ith(self.handle, index)
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_vocab,))

    def hidden(self, index: int) -> NDArray[np.float32]:
        """Give the hidden state of the batch's token `index`, float32 [n_embd]; a view as well."""
        pointer = llama_cpp.llama_get_embeddings_ith(self.handle, index)
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_embd,))

    def remove(self, sequence: int, *, start: int = 0) -> bool:
        """Forget a sequence from a position on; false where the model's memory cannot."""
        return llama_cpp.llama_memory_seq_rm(self.memory, sequence, start, -1)

    def copy(self, source: int, target: int, *, start: int = 0, end: int = -1) -> None:
        """Share positions of a sequence with another; no data is copied.

        Recurrent models can share only whole sequences.
        """
        llama_cpp.llama_memory_seq_cp(self.memory, source, target, start, end)

    def save(self, sequence: int) -> memoryview:
        """Serialise a sequence's keys and values."""
        sequence_id = llama_cpp.llama_seq_id(sequence)
        size = llama_cpp.llama_state_seq_get_size(self.handle, sequence_id)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self.handle, buffer, size, sequence_id)
        return memoryview(buffer).cast("B")[:written]

    def restore(self, sequence: int, state: memoryview | bytes) -> bool:
        """Fill an empty sequence from `save`'s bytes; false where they do not fit this context."""
        kind = ctypes.c_uint8 * len(state)
        writable = isinstance(state, memoryview) and not state.readonly
        buffer = kind.from_buffer(state) if writable else kind.from_buffer_copy(state)
        read = llama_cpp.llama_state_seq_set_data(
            self.handle, buffer, len(state), llama_cpp.llama_seq_id(sequence)
        )
        return read == len(state)

    def _enter(self, mode: Mode) -> None:
        if mode.adapter != self._mode.adapter:
            chosen = [] if mode.adapter is None else [self._adapters[mode.adapter]]
            handles = (llama_cpp.llama_adapter_lora_p_ctypes * len(chosen))(*chosen)
            scales = (ctypes.c_float * len(chosen))(*[1.0] * len(chosen))
            llama_cpp.llama_set_adapters_lora(self.handle, handles, len(chosen), scales)
        if mode.wants_hidden != self._mode.wants_hidden:
            llama_cpp.llama_set_embeddings(self.handle, mode.wants_hidden)
        self._mode = mode


@dataclass(frozen=True, slots=True)
class PassOutputs:
    """One step's share of a pass's outputs."""

    context: Context
    offset: int
    """Where the step's first token stood in the pass; negative if it was in an earlier pass."""

    def logits(self, index: int) -> NDArray[np.float32]:
        """Give the logits after the step's token `index`, float32 [n_vocab]."""
        return self.context.logits(self.offset + index)

    def hidden(self, index: int) -> NDArray[np.float32]:
        """Give the hidden state of the step's token `index`, float32 [n_embd]."""
        return self.context.hidden(self.offset + index)


def _load_mode(config: ModelConfig) -> int:
    is_mapped = config.use_mmap is not False
    if is_mapped and config.use_mlock:
        return llama_cpp.LLAMA_LOAD_MODE_MMAP_MLOCK
    if config.use_mlock:
        return llama_cpp.LLAMA_LOAD_MODE_MLOCK
    return llama_cpp.LLAMA_LOAD_MODE_MMAP if is_mapped else llama_cpp.LLAMA_LOAD_MODE_NONE


def _adapter(model: Model, path: Path) -> object:
    handle = llama_cpp.llama_adapter_lora_init(model.handle, os.fsencode(path))
    if not handle:
        raise ModelLoadError(path=str(path), problem=_last_error("it does not fit this model"))
    return handle


def write_quantized(
    job: QuantizeJob,
    *,
    importance: Mapping[str, NDArray[np.float32]] | None,
    on_log: Callable[[str], None],
) -> None:
    """Write a file's weights in another type.

    Args:
        job: What to write; the source's header was found sound.
        importance: Mean squared inputs by tensor, float32 [n_weights of a row].
        on_log: Takes the log, piece by piece. Must not raise.

    Raises:
        QuantizingError: llama.cpp refused.
    """

    @llama_cpp.llama_log_callback
    def pass_on(level: int, text: bytes, _user_data: object) -> None:
        if level == _LOG_ERROR_LEVEL:
            _recent_errors.append(text.decode("utf-8", "replace").strip())
        on_log(text.decode("utf-8", "replace"))

    _recent_errors.clear()
    llama_cpp.llama_log_set(pass_on, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = job.file_type
    params.nthread = job.threads
    params.allow_requantize = job.may_requantize
    params.dry_run = job.is_trial
    # The array must live as long as the call.
    matrix = _importance_array(importance or {})
    if importance is not None:
        params.imatrix = ctypes.cast(matrix, ctypes.POINTER(llama_cpp.llama_model_imatrix_data))
    try:
        status = llama_cpp.llama_model_quantize(job.source, job.target, ctypes.pointer(params))
    finally:
        llama_cpp.llama_log_set(_keep_errors, ctypes.c_void_p(0))
    if status != 0:
        problem = _last_error("llama.cpp gave no reason")
        raise QuantizingError(source=os.fsdecode(job.source), problem=problem)


def _importance_array(importance: Mapping[str, NDArray[np.float32]]) -> ctypes.Array[Any]:
    """Lay importance out as llama.cpp takes it: entries by name, and one without a name."""
    entries = (llama_cpp.llama_model_imatrix_data * (len(importance) + 1))()
    for entry, (name, values) in zip(entries, importance.items(), strict=False):
        entry.name = name.encode()
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        entry.size = len(values)
    return entries


def tokenize_address() -> int:
    """Give the address of llama.cpp's tokenizer, for libraries that call it by themselves."""
    address = ctypes.cast(cast("ctypes.c_void_p", llama_cpp.llama_tokenize), ctypes.c_void_p).value
    if address is None:
        raise EngineNotInstalledError(missing="llama_tokenize")
    return address


def system_info() -> str:
    """Name the CPU features that this build of llama.cpp uses."""
    return llama_cpp.llama_print_system_info().decode()


def version() -> str:
    """Version of the binding; part of every snapshot's fingerprint."""
    return llama_cpp.__version__
