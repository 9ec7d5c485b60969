"""Sentences as vectors, from a small model of their own: this file holds the `SentenceEmbedder`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio import CapacityLimiter, to_thread

from smallhold.engine.sentences.bert import MINILM_L6, Bert, BertShape
from smallhold.engine.sentences.safetensors import read_tensors
from smallhold.engine.sentences.wordpiece import CLOSING, OPENING, english_vocabulary, token_ids
from smallhold.exceptions import (
    ContextOverflowError,
    DeadlineExceededError,
    UnknownAdapterError,
)
from smallhold.generation import Embedding, EmbedRequest, Prompt
from smallhold.messages import Role, Usage

WINDOW_TOKENS: Final = 256
"""Tokens that the model reads at once. Source: `max_seq_length` in sentence_bert_config.json of
all-MiniLM-L6-v2."""
TEXT_MAX_TOKENS: Final = 8192
"""A longer text is refused: its mean over 32 windows would say little."""
_BATCH: Final = 32
_MARKS: Final = 2
"""Tokens that open and close each window."""


class SentenceEmbedder:
    """Embeds the last message of a prompt's user, in this process and without the engine's worker.

    A text of more than one window is embedded window by window, and its vector is the direction of
    their sum, so nothing of it is cut. The pooling is always the mean, as the model was trained.
    """

    def __init__(self, path: Path, *, shape: BertShape = MINILM_L6) -> None:
        """Map the weights.

        Args:
            path: A safetensors file.
            shape: The sizes that it must have.

        Raises:
            InvalidWeightsError: It is not sound, or has other sizes.
        """
        self._bert = Bert(read_tensors(path), shape=shape, path=str(path))
        self._vocabulary = english_vocabulary()
        self._window_tokens = min(WINDOW_TOKENS, shape.positions)
        # numpy uses all cores for one batch already.
        self._turn = CapacityLimiter(1)

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Embed what the user said last; the text `""` where there is no such message.

        Raises:
            ContextOverflowError: It has more than `TEXT_MAX_TOKENS`.
            UnknownAdapterError: The prompt names an adapter; there are none.
            DeadlineExceededError: The request's time was up.
        """
        if request.prompt.adapter is not None:
            raise UnknownAdapterError(adapter=request.prompt.adapter, known=())
        limit_s = request.scheduling.timeout_s
        text = _last_words(request.prompt)
        with anyio.move_on_after(limit_s):
            windows = self._windows(text)
            (vector,) = await self._vectors([windows])
            usage = Usage(prompt_tokens=sum(map(len, windows)), passes=-(-len(windows) // _BATCH))
            return Embedding(vector=vector, usage=usage)
        raise DeadlineExceededError(limit_s=limit_s or 0.0)

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """Embed texts, many in one pass.

        Returns:
            Vectors in the order of the texts, each of length 1.

        Raises:
            ContextOverflowError: One of them has more than `TEXT_MAX_TOKENS`.
        """
        groups = await to_thread.run_sync(lambda: [self._windows(text) for text in texts])
        return await self._vectors(groups)

    def _windows(self, text: str) -> list[list[int]]:
        ids = token_ids(text, vocabulary=self._vocabulary)
        if len(ids) > TEXT_MAX_TOKENS:
            raise ContextOverflowError(prompt_tokens=len(ids), limit_tokens=TEXT_MAX_TOKENS)
        size = self._window_tokens - _MARKS
        opening, closing = self._vocabulary[OPENING], self._vocabulary[CLOSING]
        return [
            [opening, *ids[start : start + size], closing]
            for start in range(0, max(1, len(ids)), size)
        ]

    async def _vectors(self, groups: Sequence[list[list[int]]]) -> tuple[tuple[float, ...], ...]:
        owners = [owner for owner, windows in enumerate(groups) for _ in windows]
        flat = [window for windows in groups for window in windows]
        # Of like length together, since a batch costs as much as its longest times its number.
        order = sorted(range(len(flat)), key=lambda number: len(flat[number]))
        sums = self._bert.no_sentences(len(groups))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            found = await to_thread.run_sync(
                partial(self._bert.sentence_vectors, [flat[number] for number in batch]),
                limiter=self._turn,
            )
            for number, vector in zip(batch, found, strict=True):
                sums[owners[number]] += vector
        return self._bert.directions(sums)


def _last_words(prompt: Prompt) -> str:
    return next(
        (message.content for message in reversed(prompt.messages) if message.role is Role.USER), ""
    )
