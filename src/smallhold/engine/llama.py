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
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import DecodeError, ModelLoadError

MAX_SEQUENCES: Final = 64
"""Sequences per context: cached prefixes and the branches of a scored choice."""
MAX_OUTPUTS: Final = 64
"""Positions per pass whose logits are wanted. Bounds the output buffer: 64 rows of 151,936 floats
are 39 MB, while llama.cpp's default of one row per batch token would be 311 MB."""
LAST_OUTPUT: Final = -1
"""Index for `Context.logits`: the last position of the pass whose logits were wanted."""
_LOG_ERROR_LEVEL: Final = 3
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The input of one forward pass, as a forest: a token may belong to several sequences."""

    tokens: NDArray[np.int32]
    """int32 [n_tokens]"""
    positions: NDArray[np.int32]
    """int32 [n_tokens], each token's place in its sequence."""
    sequences: tuple[tuple[int, ...], ...]
    """For each token the sequences that contain it."""
    wants_logits: NDArray[np.int8]
    """int8 [n_tokens], 1 where the next token's logits are wanted."""


def linear_batch(tokens: Sequence[int], *, start: int, sequence: int, logits: bool) -> Batch:
    """Make a batch of consecutive tokens of one sequence, with logits after the last or not."""
    count = len(tokens)
    wants = np.zeros(count, dtype=np.int8)
    wants[-1] = logits
    return Batch(
        tokens=np.asarray(tokens, dtype=np.int32),
        positions=np.arange(start, start + count, dtype=np.int32),
        sequences=((sequence,),) * count,
        wants_logits=wants,
    )


class Model:
    """A loaded model with its vocabulary.

    Raises:
        ModelLoadError: llama.cpp refused the file.
    """

    def __init__(self, config: ModelConfig, *, stack: ExitStack) -> None:
        self.config = config
        llama_cpp.llama_log_set(_keep_errors, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = config.gpu_layers
        params.load_mode = (
            llama_cpp.LLAMA_LOAD_MODE_MMAP if config.use_mmap else llama_cpp.LLAMA_LOAD_MODE_NONE
        )
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
        self.trained_context_tokens: int = llama_cpp.llama_model_n_ctx_train(handle)
        self.end_tokens: frozenset[int] = frozenset(
            token
            for token in range(self.n_vocab)
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
        special = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        return {
            text
            for token in range(self.n_vocab)
            if llama_cpp.llama_vocab_get_attr(self.vocab, token) & special
            and (text := self.piece(token).decode("utf-8", "replace"))
        }

    def token_text(self, token: int) -> str:
        """Give a token's text as the chat template would write it, `""` for no token."""
        return "" if token < 0 else self.piece(token).decode("utf-8", "replace")


class Context:
    """Keys, values and buffers for evaluating one model; one caller at a time.

    Raises:
        ModelLoadError: there is not enough memory for the context.
    """

    def __init__(self, model: Model, *, stack: ExitStack) -> None:
        config = model.config
        self.model = model
        params = llama_cpp.llama_context_default_params()
        # A scored prompt may fill the context, and its choices come after it.
        params.n_ctx = config.context_tokens + config.cache_tokens + MAX_OUTPUTS
        params.n_batch = max(config.batch_tokens, MAX_OUTPUTS)
        params.n_ubatch = params.n_batch
        params.n_seq_max = MAX_SEQUENCES
        params.n_outputs_max = MAX_OUTPUTS
        params.kv_unified = True
        params.no_perf = True
        threads = config.threads or usable_cores()
        params.n_threads = threads
        params.n_threads_batch = threads
        handle = _loaded(llama_cpp.llama_init_from_model(model.handle, params), config)
        self.handle = handle
        stack.callback(llama_cpp.llama_free, handle)
        self.memory = _loaded(llama_cpp.llama_get_memory(handle), config)
        self.capacity_tokens: int = llama_cpp.llama_n_ctx(handle)
        self.batch_tokens: int = llama_cpp.llama_n_batch(handle)

    def decode(self, batch: Batch) -> None:
        """Run one forward pass; logits are then readable with `logits`.

        Raises:
            DecodeError: no room in memory, or the computation failed.
        """
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
            logits=batch.wants_logits.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        status = llama_cpp.llama_decode(self.handle, native)
        if status != 0:
            raise DecodeError(
                problem=_last_error("no free cells") if status != 1 else "the KV cache is full"
            )

    def logits(self, index: int) -> NDArray[np.float32]:
        """Give the logits after the batch's token `index`, float32 [n_vocab].

        A view into llama.cpp's buffer: valid until the next pass, and free to write into.
        """
        pointer = llama_cpp.llama_get_logits_ith(self.handle, index)
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_vocab,))

    def remove(self, sequence: int, *, start: int = 0) -> bool:
        """Forget a sequence from a position on; false where the model's memory cannot."""
        return llama_cpp.llama_memory_seq_rm(self.memory, sequence, start, -1)

    def copy(self, source: int, target: int, *, end: int) -> None:
        """Share the first `end` positions of a sequence with another; no data is copied."""
        llama_cpp.llama_memory_seq_cp(self.memory, source, target, 0, end)

    def save(self, sequence: int) -> bytes:
        """Serialise a sequence's keys and values."""
        sequence_id = llama_cpp.llama_seq_id(sequence)
        size = llama_cpp.llama_state_seq_get_size(self.handle, sequence_id)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self.handle, buffer, size, sequence_id)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, state: bytes) -> bool:
        """Fill an empty sequence from `save`'s bytes; false where they do not fit this context."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        read = llama_cpp.llama_state_seq_set_data(
            self.handle, buffer, len(state), llama_cpp.llama_seq_id(sequence)
        )
        return read == len(state)


def usable_cores() -> int:
    """Count the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def system_info() -> str:
    """Name the CPU features that this build of llama.cpp uses."""
    return llama_cpp.llama_print_system_info().decode()


def version() -> str:
    """Version of the binding; part of every snapshot's fingerprint."""
    return llama_cpp.__version__
