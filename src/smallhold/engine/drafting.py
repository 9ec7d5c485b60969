"""Choosing guesses for one request: this file holds the drafter.

Guesses come from the text so far, which costs nothing, or from a smaller model; the cost model says
how many of them pay. The output does not depend on any of this: each guess is decided on as if it
had not been made.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import numpy as np

from smallhold.engine.drafts import copied_text, copied_tokens, schema_literals
from smallhold.engine.grammar import Grammar
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.pass_times import MAX_DRAFT_TOKENS, plan_draft
from smallhold.engine.prompting import EncodedPrompt
from smallhold.exceptions import DecodeError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint
from smallhold.messages import Role

_READ_TOKENS_PER_PASS: Final = 8
"""Prompt tokens that a draft model reads in the time of one guess, at least (measured: 8 to 10)."""


class _Source(Enum):
    TEXT = auto()
    MODEL = auto()


class Drafter:
    """Makes guesses for one request and learns how good they were."""

    def __init__(
        self, loaded: LoadedModel, request: GenerationRequest, encoded: EncodedPrompt
    ) -> None:
        self._loaded = loaded
        self._is_json = request.constraint is not None
        self._copying = loaded.copying[self._is_json]
        self._sources = [
            message.content
            for message in reversed(request.prompt.messages)
            if message.role in {Role.USER, Role.TOOL}
        ]
        if isinstance(request.constraint, JsonSchemaConstraint):
            self._sources += schema_literals(request.constraint.schema)
        size = len(encoded.tokens)
        # Who asks for an endless answer gets what the context has room for.
        self._max_tokens = min(request.max_tokens, loaded.context_tokens - size)
        self._history = np.empty(size + self._max_tokens, dtype=np.int32)
        self._history[:size] = encoded.tokens
        self._length = size
        self._answer = bytearray(encoded.tail.encode())
        self._source = _Source.TEXT
        self._own_rows = 0
        """Tokens of this request in the pass before."""

    def append(self, token: int) -> None:
        """Add a decided token to the text so far."""
        self._history[self._length] = token
        self._length += 1
        self._answer += self._loaded.model.piece(token)

    def guess(self, pending: Sequence[int], *, grammar: Grammar | None, limit: int) -> list[int]:
        """Guess the tokens after those decided; empty where that does not pay.

        Args:
            pending: Tokens decided but not evaluated, the last of them the latest.
            grammar: What the text is held to.
            limit: Most tokens wanted.
        """
        guesses = self._guess(pending, grammar=grammar, limit=limit)
        self._own_rows = len(pending) + len(guesses)
        return guesses

    def record(self, *, tried: int, right: int) -> None:
        """Learn from the last guesses."""
        if not tried:
            return
        if self._source is _Source.TEXT:
            self._copying.record(tried=tried, right=right)
        elif self._loaded.draft_model is not None:
            self._loaded.draft_model.acceptance.record(tried=tried, right=right)

    def _guess(self, pending: Sequence[int], *, grammar: Grammar | None, limit: int) -> list[int]:
        times = self._loaded.pass_times
        if times is None or not self._loaded.config.drafts or not pending:
            return []
        others = max(0, self._loaded.traffic.rows - self._own_rows) + len(pending) - 1
        limit = min(limit, MAX_DRAFT_TOKENS)
        guesses = self._from_text(limit)
        if grammar is not None:
            guesses = guesses[: grammar.valid_length(guesses)]
        plan = plan_draft(
            times,
            acceptance_ratio=self._copying.value,
            others=others,
            available=len(guesses),
        )
        if plan.length:
            self._source = _Source.TEXT
            return guesses[: plan.length]
        if guesses:
            self._copying.relax()
        guesses = self._from_model(others, limit)
        self._source = _Source.MODEL
        return guesses if grammar is None else guesses[: grammar.valid_length(guesses)]

    def _from_text(self, limit: int) -> list[int]:
        if self._is_json:
            answer = self._answer.decode("utf-8", "ignore")
            text = copied_text(answer, self._sources)
            if text:
                return self._loaded.model.tokenize(text, parse_special=False)[:limit]
        return copied_tokens(self._history[: self._length], limit=limit)

    def _from_model(self, others: int, limit: int) -> list[int]:
        model, times = self._loaded.draft_model, self._loaded.pass_times
        # It follows one conversation at a time.
        if model is None or times is None or model.guess_s is None or others:
            return []
        plan = plan_draft(
            times,
            acceptance_ratio=model.acceptance.value,
            others=0,
            available=limit,
            guess_s=model.guess_s,
        )
        history = self._history[: self._length]
        read_s = model.unread(history) / _READ_TOKENS_PER_PASS * model.guess_s
        if plan.saved_s * self._max_tokens <= read_s:
            return []
        try:
            return model.guess(history, limit=plan.length)
        except DecodeError:
            # The answer does not need it.
            return []
