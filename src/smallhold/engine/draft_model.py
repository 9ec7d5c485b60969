"""Guessing tokens with a smaller model: this file holds the draft model beside the main one.

Source: Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding",
section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

import numpy as np

from smallhold.engine.batch import linear_batch
from smallhold.engine.config import ModelConfig
from smallhold.engine.llama import Context, Model
from smallhold.engine.pass_times import AcceptanceRatio
from smallhold.engine.pass_trial import PassTrial
from smallhold.engine.program import Mode
from smallhold.engine.tokens import Tokens, common_prefix
from smallhold.exceptions import ConfigError

_SEQUENCE: Final = 0
_TRIAL_SEQUENCE: Final = 1
_COMPARED_TOKENS: Final = 4096
"""Vocabularies of one family differ at their ends, if at all; comparing all would take a second."""


class DraftModel:
    """A smaller model that follows one conversation at a time.

    Raises:
        ConfigError: its vocabulary is another one.
        ModelLoadError: it cannot be loaded.
    """

    def __init__(self, config: ModelConfig, main: Model, *, prior: float, stack: ExitStack) -> None:
        path = config.path if config.draft_path is None else config.draft_path
        own = replace(
            config, path=path, draft_path=None, adapters={}, active_tokens=config.context_tokens
        )
        model = Model(own, stack=stack)
        if model.is_recurrent or not has_same_vocabulary(main, model):
            raise ConfigError(
                field="draft_path",
                value=str(path),
                remedy="choose a smaller model with the same vocabulary, such as "
                "qwen2.5-coder-0.5b for qwen2.5-coder-1.5b",
            )
        self._context = Context(model, stack=stack)
        self._held: Tokens = np.empty(0, dtype=np.int32)
        self.acceptance = AcceptanceRatio(prior=prior)
        self.trial = PassTrial(self._context, sequence=_TRIAL_SEQUENCE)

    @property
    def guess_s(self) -> float | None:
        """Seconds for one guess; `None` until it has been measured."""
        return None if self.trial.result is None else self.trial.result.at(1)

    def unread(self, history: Tokens) -> int:
        """Count the tokens that would have to be read before the first guess."""
        return len(history) - common_prefix(self._held, history)

    def guess(self, history: Tokens, *, limit: int) -> list[int]:
        """Continue greedily.

        Args:
            history: int32 [n_tokens], prompt and answer so far.
            limit: Tokens wanted.
        """
        shared = min(common_prefix(self._held, history), len(history) - 1)
        self._context.remove(_SEQUENCE, start=shared)
        self._held = history[:shared]
        self._read(history[shared:].tolist())
        guesses: list[int] = []
        while True:
            guesses.append(int(np.argmax(self._context.logits(-1))))
            if len(guesses) >= limit:
                return guesses
            self._read(guesses[-1:])

    def _read(self, tokens: Sequence[int]) -> None:
        size = self._context.batch_tokens
        for at in range(0, len(tokens), size):
            chunk = tokens[at : at + size]
            batch = linear_batch(chunk, start=len(self._held), sequence=_SEQUENCE, outputs=1)
            self._context.decode(batch, Mode())
            self._held = np.concatenate((self._held, np.asarray(chunk, dtype=np.int32)))


def has_same_vocabulary(main: Model, other: Model) -> bool:
    """Whether two models' tokens mean the same; a sample is compared."""
    shared = min(main.n_vocab, other.n_vocab)
    sample = range(0, shared, max(1, shared // _COMPARED_TOKENS))
    return main.eos == other.eos and all(main.piece(at) == other.piece(at) for at in sample)
