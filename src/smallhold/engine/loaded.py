"""One model ready to be evaluated: this file holds the model with its context and its caches."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TypeAlias

from llguidance import LLTokenizer

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.config import ModelConfig
from smallhold.engine.grammar import vocabulary_tokenizer
from smallhold.engine.llama import MAX_SEQUENCES, Batch, Context, Model, linear_batch, version
from smallhold.engine.prefix_cache import PrefixCache, Tokens
from smallhold.engine.prompting import EncodedPrompt, PromptEncoder
from smallhold.engine.recent import RecentValues
from smallhold.engine.snapshots import MIN_SNAPSHOT_TOKENS, SnapshotStore, model_fingerprint
from smallhold.engine.template_defaults import CHATML_TEMPLATE
from smallhold.exceptions import ContextOverflowError, DecodeError

CACHED_SEQUENCES = 16
"""Sequences kept for reuse; the rest of `MAX_SEQUENCES` are the branches of scored choices."""

MAX_BASELINES = 256
"""One per agent and set of tools; each is a few numbers."""

BaselineKey: TypeAlias = tuple[bytes, str, tuple[str, ...]]

Program: TypeAlias = Generator[Batch, None, None]
"""A request as a coroutine: it yields the batches it wants evaluated, and reads the logits after
each. Whoever drives it may stop between two passes, by closing it."""


class LoadedModel:
    """Model, context, prompt encoder, prefix cache and snapshots.

    Raises:
        ModelLoadError: llama.cpp refused the file or the context.
    """

    def __init__(self, config: ModelConfig, *, stack: ExitStack) -> None:
        self.config = config
        self.model = Model(config, stack=stack)
        self.context = Context(self.model, stack=stack)
        self.encoder = PromptEncoder(self.model, _template(self.model))
        self.prefixes = PrefixCache(
            capacity_tokens=self.context.capacity_tokens, free=list(range(CACHED_SEQUENCES))
        )
        self.branch_sequences = tuple(range(CACHED_SEQUENCES, MAX_SEQUENCES))
        self.context_tokens = min(config.context_tokens, self.model.trained_context_tokens)
        self.snapshots = _snapshots(config)
        self.baselines = RecentValues[BaselineKey, list[float]](limit=MAX_BASELINES)
        """Scores of choices after content-free prompts."""

    @cached_property
    def grammar_tokenizer(self) -> LLTokenizer:
        """The vocabulary as llguidance reads it; built once, on first use."""
        return vocabulary_tokenizer(self.model)

    def warm_up(self) -> None:
        """Do now what the first request would wait for: the vocabulary for grammars."""
        _ = self.grammar_tokenizer

    def check_fits(self, encoded: EncodedPrompt) -> None:
        """Refuse a prompt that leaves no room for an answer. Raises `ContextOverflowError`."""
        if len(encoded.tokens) >= self.context_tokens:
            raise ContextOverflowError(
                prompt_tokens=len(encoded.tokens), limit_tokens=self.context_tokens
            )


class Lease:
    """A sequence on loan to one request.

    Use as a context manager: leaving it hands the sequence back to the prefix cache with whatever
    it holds by then, also when the request is cancelled between two passes.
    """

    def __init__(self, loaded: LoadedModel, encoded: EncodedPrompt, *, answer_tokens: int) -> None:
        self._loaded = loaded
        self._encoded = encoded
        prompt = encoded.tokens
        state = self._snapshot()
        plan = loaded.prefixes.lease(
            # A restored sequence has cells of its own, even for tokens that another one holds.
            prompt if state is None else prompt[:0],
            room_tokens=len(prompt) + answer_tokens,
        )
        for sequence in plan.evicted:
            loaded.context.remove(sequence)
        self.sequence = plan.target
        self.cached_tokens = plan.shared_tokens
        self.held: list[int] = []
        """Tokens whose keys and values are in the sequence."""
        self.passes = 0
        self.first_pass_s: float | None = None
        if plan.source is not None:
            loaded.context.copy(plan.source, plan.target, end=plan.shared_tokens)
        self._trim(prompt, plan.shared_tokens)
        if state is not None:
            self._restore(state)

    def __enter__(self) -> Lease:
        """Take the lease; nothing is evaluated yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Hand the sequence back, or drop it after a pass that failed half-way."""
        if kind is not None and issubclass(kind, DecodeError):
            self._loaded.context.remove(self.sequence)
            self._loaded.prefixes.forget(self.sequence)
        else:
            self._loaded.prefixes.release(self.sequence, self.held)

    def prefill(self, *, until: int) -> Program:
        """Evaluate the prompt's tokens up to `until`, saving a snapshot at its stable prefix."""
        stable = self._encoded.stable_tokens
        while len(self.held) < until:
            size = min(self._loaded.context.batch_tokens, until - len(self.held))
            if len(self.held) < stable < len(self.held) + size and self._wants_snapshot():
                size = stable - len(self.held)
            chunk = self._encoded.tokens[len(self.held) : len(self.held) + size].tolist()
            yield from self.evaluate(chunk, logits=False)
            if len(self.held) == stable and self._wants_snapshot():
                self._save_snapshot()

    @property
    def least_prefill(self) -> int:
        """How far the prompt must be evaluated by itself for a snapshot that is still missing."""
        stable = self._encoded.stable_tokens
        return stable if len(self.held) < stable and self._wants_snapshot() else 0

    def evaluate(self, tokens: Sequence[int], *, logits: bool) -> Program:
        """Evaluate tokens after those held; with `logits`, those after the last are readable."""
        limit = self._loaded.context.batch_tokens
        for start in range(0, len(tokens), limit):
            chunk = tokens[start : start + limit]
            is_last = start + limit >= len(tokens)
            yield from self.run(
                linear_batch(
                    chunk, start=len(self.held), sequence=self.sequence, logits=logits and is_last
                )
            )
            self.held += chunk

    def run(self, batch: Batch) -> Program:
        """Have one batch evaluated, and count it."""
        if self.first_pass_s is None:
            self.first_pass_s = time.monotonic()
        self.passes += 1
        yield batch

    def _trim(self, prompt: Tokens, shared: int) -> None:
        """Cut the sequence back to what it shares with the prompt."""
        if not self._loaded.context.remove(self.sequence, start=shared):
            # Recurrent and sliding-window memories cannot be cut in the middle: start afresh.
            self._loaded.context.remove(self.sequence)
            shared = 0
        self.cached_tokens = shared
        self.held = prompt[:shared].tolist()

    def _wants_snapshot(self) -> bool:
        snapshots = self._loaded.snapshots
        stable = self._encoded.stable_tokens
        return (
            snapshots is not None
            and stable >= MIN_SNAPSHOT_TOKENS
            and not snapshots.holds(self._encoded.tokens[:stable].tolist())
        )

    def _save_snapshot(self) -> None:
        if self._loaded.snapshots is not None:
            self._loaded.snapshots.save(self.held, self._loaded.context.save(self.sequence))

    def _snapshot(self) -> bytes | None:
        """Read the state of the stable prefix, where that is longer than what is in memory."""
        snapshots = self._loaded.snapshots
        stable = self._encoded.stable_tokens
        # The last prompt token is evaluated again in any case, for its logits.
        if snapshots is None or not MIN_SNAPSHOT_TOKENS <= stable < len(self._encoded.tokens):
            return None
        if self._loaded.prefixes.longest_match(self._encoded.tokens) >= stable:
            return None
        return snapshots.load(self._encoded.tokens[:stable].tolist())

    def _restore(self, state: bytes) -> None:
        tokens = self._encoded.tokens[: self._encoded.stable_tokens].tolist()
        if self._loaded.context.restore(self.sequence, state):
            self.held = tokens
            self.cached_tokens = len(tokens)
            return
        self._loaded.context.remove(self.sequence)
        if self._loaded.snapshots is not None:
            self._loaded.snapshots.discard(tokens)


def _template(model: Model) -> ChatTemplate:
    return ChatTemplate(
        model.chat_template() or CHATML_TEMPLATE,
        bos_token=model.token_text(model.bos),
        eos_token=model.token_text(model.eos),
    )


def _snapshots(config: ModelConfig) -> SnapshotStore | None:
    if config.snapshot_folder is None:
        return None
    fingerprint = model_fingerprint(
        config.path,
        engine_version=version(),
        context=f"f16|{config.gpu_layers}",
    )
    return SnapshotStore(
        folder=config.snapshot_folder / fingerprint.hex()[:16],
        fingerprint=fingerprint,
        limit_bytes=config.snapshot_bytes,
    )
