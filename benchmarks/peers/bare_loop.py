"""`llama_decode` and arg-max, and nothing else: this file holds the loop to measure overhead by.

It writes `{"ready": true}` once the model is loaded. Then each line of stdin is a request
`{"prompts": [...], "tokens": [...]}`, answered by `{"done": {"seconds", "texts"}}`: the time of the
passes after the first tokens, each of one token for every prompt whose answer is not as long yet as
asked for. It ends when its stdin closes.
"""

# llama_cpp's ctypes functions are typed by decorators that strict mode cannot see through.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar

import llama_cpp
import numpy as np
from numpy.typing import NDArray
from settings import PeerError, PeerSettings, private_stdout, read_settings, send

KV_TYPES = {
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
PIECE_BYTES = 512
_WITH_DATA = True
_ADDS_BEGIN = True
_READS_CONTROLS = True
_SHOWS_CONTROLS = True
Handle = TypeVar("Handle")


@llama_cpp.llama_log_callback
def _silent(_level: int, _text: bytes, _user_data: object) -> None:
    pass


def made(handle: Handle | None, *, what: str) -> Handle:
    """Take a handle that llama.cpp has made, or end."""
    if handle is None:
        raise PeerError(problem=f"llama.cpp could not make {what}")
    return handle


@dataclass(slots=True)
class Decoded:
    """One answer under way."""

    number: int
    length: int = 0
    tokens: list[int] = field(default_factory=list[int])


class Loop:
    """A model and a context of the same settings as a worker's."""

    def __init__(self, settings: PeerSettings) -> None:
        llama_cpp.llama_log_set(_silent, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        model_params = llama_cpp.llama_model_default_params()
        model_params.n_gpu_layers = 0
        model = made(
            llama_cpp.llama_model_load_from_file(settings.model.encode(), model_params),
            what="the model",
        )
        self._vocab = made(llama_cpp.llama_model_get_vocab(model), what="the vocabulary")
        self._n_vocab: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = settings.context_tokens * settings.slots
        params.n_batch = params.n_ubatch = settings.batch_tokens or 512
        params.n_seq_max = settings.slots
        params.n_outputs_max = settings.slots
        params.kv_unified = True
        params.no_perf = True
        params.type_k = params.type_v = KV_TYPES[settings.kv_type]
        params.n_threads = params.n_threads_batch = settings.threads
        if settings.flash_attention is not None:
            params.flash_attn_type = int(settings.flash_attention)
        self._context = made(llama_cpp.llama_init_from_model(model, params), what="the context")
        self._memory = made(llama_cpp.llama_get_memory(self._context), what="the memory")
        self._batch = llama_cpp.llama_batch_init(params.n_batch, 0, 1)
        self._n_batch: int = params.n_batch

    def run(self, prompts: list[str], *, tokens: list[int]) -> dict[str, Any]:
        """Answer all prompts in step, each with its number of tokens."""
        llama_cpp.llama_memory_clear(self._memory, _WITH_DATA)
        sequences = [self._read(number, prompt) for number, prompt in enumerate(prompts)]
        started_s = time.perf_counter()
        for step in range(1, max(tokens)):
            self._step([it for it in sequences if tokens[it.number] > step])
        seconds = time.perf_counter() - started_s
        return {"seconds": seconds, "texts": [self._text(it.tokens) for it in sequences]}

    def _read(self, number: int, prompt: str) -> Decoded:
        tokens = self._tokenize(prompt)
        sequence = Decoded(number)
        while tokens:
            chunk, tokens = tokens[: self._n_batch], tokens[self._n_batch :]
            for place, token in enumerate(chunk):
                wanted = not tokens and place == len(chunk) - 1
                self._put(place, token, sequence, wants_logits=wanted)
            self._decode(len(chunk))
        sequence.tokens.append(self._likeliest(-1))
        return sequence

    def _step(self, sequences: list[Decoded]) -> None:
        for place, sequence in enumerate(sequences):
            self._put(place, sequence.tokens[-1], sequence, wants_logits=True)
        self._decode(len(sequences))
        for place, sequence in enumerate(sequences):
            sequence.tokens.append(self._likeliest(place))

    def _put(self, place: int, token: int, sequence: Decoded, *, wants_logits: bool) -> None:
        batch = self._batch
        batch.token[place] = token
        batch.pos[place] = sequence.length
        batch.n_seq_id[place] = 1
        batch.seq_id[place][0] = sequence.number
        batch.logits[place] = wants_logits
        sequence.length += 1

    def _decode(self, count: int) -> None:
        self._batch.n_tokens = count
        status = llama_cpp.llama_decode(self._context, self._batch)
        if status != 0:
            raise PeerError(problem=f"llama_decode returned {status}")

    def _likeliest(self, place: int) -> int:
        pointer = llama_cpp.llama_get_logits_ith(self._context, place)
        logits: NDArray[np.float32] = np.ctypeslib.as_array(pointer, shape=(self._n_vocab,))
        return int(np.argmax(logits))

    def _tokenize(self, text: str) -> list[int]:
        data = text.encode()
        buffer = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(
            self._vocab, data, len(data), buffer, len(buffer), _ADDS_BEGIN, _READS_CONTROLS
        )
        return list(buffer[:count])

    def _text(self, tokens: list[int]) -> str:
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        pieces: list[bytes] = []
        for token in tokens:
            size = llama_cpp.llama_token_to_piece(
                self._vocab, token, buffer, PIECE_BYTES, 0, _SHOWS_CONTROLS
            )
            pieces.append(buffer.raw[: max(0, size)])
        return b"".join(pieces).decode("utf-8", "replace")


def main() -> None:
    """Answer until stdin closes."""
    out = private_stdout()
    loop = Loop(read_settings())
    send(out, {"ready": True, "version": llama_cpp.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            send(out, {"done": loop.run(request["prompts"], tokens=request["tokens"])})
        except PeerError as error:
            send(out, {"error": str(error)})


if __name__ == "__main__":
    main()
