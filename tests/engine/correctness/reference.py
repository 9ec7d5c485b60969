"""llama-cpp-python's high-level class on the same file: this file holds the engine's yardstick.

Two correct engines may answer differently where two tokens are equally likely: the same text gives
slightly different logits in batches of another shape. Whether a difference is such a tie is decided
here, by the noise that the kernels show on that very text.
"""

# llama_cpp's classes are only partly typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from smallhold.engine.chat_template import ChatTemplate
from smallhold.generation import Prompt

BATCH_TOKENS: Final = 256
SHAPES: Final = (BATCH_TOKENS, 64, 16, 7)
"""Tokens per pass in which a text is evaluated to see the kernels' noise."""
THREADS: Final = 1
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """The first token at which a text leaves the likeliest one."""

    text: str
    place: int
    """Tokens that both have in common."""
    gap: float
    """Logit of the likeliest token minus that of the one taken."""
    noise: float
    """Largest difference between the logits of the same text in batches of different shapes, on
    this text and on those that were tried before."""

    @property
    def is_tie(self) -> bool:
        return self.gap <= self.noise


class Reference:
    """Greedy decoding by llama-cpp-python."""

    def __init__(
        self, path: Path, *, context_tokens: int = 1024, adapter: Path | None = None
    ) -> None:
        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=context_tokens,
            n_batch=BATCH_TOKENS,
            n_ubatch=BATCH_TOKENS,
            flash_attn=False,
            n_threads=THREADS,
            n_threads_batch=THREADS,
            lora_path=None if adapter is None else str(adapter),
            verbose=False,
        )
        vocab = cast("Any", llama_cpp.llama_model_get_vocab(self._llama.model))
        self._size = self._llama.n_vocab()
        self.known_noise = 0.0
        """The largest that `noise` has measured on this model."""
        tokens = range(self._size)
        self._pieces = [self._llama.detokenize([token], special=True) for token in tokens]
        self._ends = {token for token in tokens if llama_cpp.llama_vocab_is_eog(vocab, token)}
        metadata = self._llama.metadata
        self._template = ChatTemplate(
            metadata["tokenizer.chat_template"],
            bos_token=self._pieces[self._llama.token_bos()].decode(),
            eos_token=self._pieces[self._llama.token_eos()].decode(),
        )

    def close(self) -> None:
        self._llama.close()

    def tokens(self, prompt: Prompt) -> list[int]:
        """Render and tokenize a prompt in whose messages nothing looks like a control token."""
        text = self._template.render(prompt.messages, prompt.tools) + prompt.continuation
        return self._llama.tokenize(text.encode(), add_bos=False, special=True)

    def complete(self, tokens: Sequence[int], *, max_tokens: int) -> str:
        """The text of `create_completion` at temperature 0."""
        self._llama.reset()
        made = cast(
            "dict[str, Any]",
            self._llama.create_completion(list(tokens), max_tokens=max_tokens, temperature=0.0),
        )
        return made["choices"][0]["text"]

    def least_margin(self, tokens: Sequence[int], *, max_tokens: int) -> float:
        """How clearly the likeliest text is so: the smallest lead of a token over the next."""
        self._llama.reset()
        self._llama.eval(tokens)
        least = np.inf
        for _ in range(max_tokens):
            row = self._row()
            second, first = np.partition(row, -2)[-2:]
            least = min(least, float(first - second))
            token = int(np.argmax(row))
            if token in self._ends:
                break
            self._llama.eval([token])
        return least

    def parting(self, tokens: Sequence[int], text: str, *, max_tokens: int) -> Parting | None:
        """Follow the likeliest tokens as long as a text agrees with them.

        Returns:
            Where the text parts from them; `None` if it does not within `max_tokens`.
        """
        self._llama.reset()
        self._llama.eval(tokens)
        made: list[int] = []
        while len(made) < max_tokens:
            row = self._row()
            token = int(np.argmax(row))
            if not self._agrees(text, [*made, token]):
                self.noise([*tokens, *made])
                gap = float(row[token] - row[self._taken(text, made, row)])
                return Parting(text=text, place=len(made), gap=gap, noise=self.known_noise)
            if token in self._ends:
                return None
            made.append(token)
            self._llama.eval([token])
        return None

    def noise(self, tokens: Sequence[int]) -> float:
        """Evaluate a text in several shapes, its last token also alone, and compare the logits."""
        rows = [self._shaped(tokens, size=size) for size in SHAPES]
        rows.append(self._shaped(tokens, size=BATCH_TOKENS, last_alone=True))
        noise = max(float(np.abs(a - b).max()) for a, b in pairwise(rows))
        self.known_noise = max(self.known_noise, noise)
        return noise

    def _shaped(self, tokens: Sequence[int], *, size: int, last_alone: bool = False) -> Logits:
        self._llama.reset()
        end = len(tokens) - 1 if last_alone else len(tokens)
        for start in range(0, end, size):
            self._llama.eval(tokens[start : min(end, start + size)])
        if last_alone:
            self._llama.eval(tokens[end:])
        return self._row()

    def _row(self) -> Logits:
        pointer = llama_cpp.llama_get_logits_ith(cast("Any", self._llama.ctx), -1)
        return np.ctypeslib.as_array(pointer, shape=(self._size,)).copy()

    def _agrees(self, text: str, made: Sequence[int]) -> bool:
        """Whether a text begins with what tokens show; a half character shows nothing yet."""
        *inner, last = made
        data = b"".join(self._pieces[token] for token in inner)
        if last not in self._ends:
            data += self._pieces[last]
        shown = getincrementaldecoder("utf-8")("replace").decode(data)
        whole = text.rstrip(REPLACEMENT)
        return whole == shown if last in self._ends else whole.startswith(shown.rstrip(REPLACEMENT))

    def _taken(self, text: str, made: Sequence[int], row: Logits) -> int:
        """The likeliest token that a text may have gone on with."""
        near = [int(token) for token in np.argsort(row)[::-1][:1000]]
        return next((token for token in near if self._agrees(text, [*made, token])), near[-1])
