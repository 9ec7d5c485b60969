"""Generating text: this file holds the decoding loop of one request."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smallhold.engine.drafting import Drafter
from smallhold.engine.grammar import Grammar, constraint_to_lark
from smallhold.engine.lease import Lease, take_lease
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.pass_times import MAX_DRAFT_TOKENS
from smallhold.engine.program import Outputs, Program
from smallhold.engine.prompting import EncodedPrompt
from smallhold.engine.residents import reusable
from smallhold.engine.sampling import pick_token
from smallhold.engine.text_stream import TextStream
from smallhold.engine.wire import Finished, Reply, TextDelta
from smallhold.generation import GenerationRequest
from smallhold.messages import FinishReason, Usage

Emit = Callable[[Reply], None]


def generate(
    loaded: LoadedModel, request: GenerationRequest, *, emit: Emit, arrived_s: float
) -> Program:
    """Decode one answer, pass by pass.

    Args:
        loaded: The model.
        request: What to generate.
        emit: Takes the replies: text as it comes, and `Finished` at the end.
        arrived_s: When the request arrived, on the monotonic clock.

    Raises:
        ContextOverflowError: the prompt does not fit.
        UnsupportedSchemaError: the constraint cannot be enforced.
        UnknownAdapterError: the model was loaded without the prompt's adapter.
    """
    encoded = loaded.encoder.encode(request.prompt, splits_tail=request.constraint is not None)
    loaded.check_fits(encoded)
    grammar = _grammar(loaded, request, encoded)
    room = loaded.context_tokens - len(encoded.tokens)
    lease = yield from take_lease(
        loaded,
        encoded,
        answer_tokens=min(request.max_tokens, room) + MAX_DRAFT_TOKENS,
        adapter=request.prompt.adapter,
        priority=request.scheduling.priority,
    )
    with lease:
        decoding = _Decoding(
            loaded=loaded, request=request, encoded=encoded, grammar=grammar, lease=lease,
            drafter=Drafter(loaded, request, encoded), emit=emit, arrived_s=arrived_s,
        )  # fmt: skip
        yield from decoding.run()
    # What the lease held is kept by now: the next request may follow at once.
    decoding.finish_reply()


def _grammar(
    loaded: LoadedModel, request: GenerationRequest, encoded: EncodedPrompt
) -> Grammar | None:
    if request.constraint is None:
        return None
    lark = constraint_to_lark(request.constraint, literal_prefix=encoded.tail)
    return Grammar(loaded.grammar_tokenizer, lark)


@dataclass(slots=True, kw_only=True)
class _Decoding:
    loaded: LoadedModel
    request: GenerationRequest
    encoded: EncodedPrompt
    grammar: Grammar | None
    lease: Lease
    drafter: Drafter
    emit: Emit
    arrived_s: float
    text: TextStream = field(init=False)
    rng: np.random.Generator = field(init=False)
    pending: list[int] = field(default_factory=list[int])
    """Tokens decided but not yet evaluated."""
    produced: int = 0
    drafted: int = 0
    accepted: int = 0
    forced: int = 0
    literal_bytes_left: int = field(init=False)
    """Bytes of the continuation's tail that are decoded again and must not be shown."""
    first_token_s: float | None = None
    finish: FinishReason | None = None

    def __post_init__(self) -> None:
        self.text = TextStream(stop=self.request.stop)
        seed = self.request.sampling.seed
        self.rng = np.random.default_rng(secrets.randbits(64) if seed is None else seed)
        self.literal_bytes_left = len(self.encoded.tail.encode()) if self.grammar else 0

    def run(self) -> Program:
        self._take_forced()
        if self.finish is not None:
            return
        if self.loaded.model.keeps_whole_states:
            stable = min(self.encoded.stable_tokens, len(reusable(self.encoded.tokens)))
            yield from self.lease.read_prompt(until=stable)
        # The rest of the prompt is read together with what the grammar forces after it.
        rest = [*self.encoded.tokens[len(self.lease.held) :].tolist(), *self.pending]
        self.pending = []
        outputs = yield from self.lease.evaluate(rest, outputs=1, is_divisible=True)
        self._take_next(outputs.logits(len(rest) - 1))
        while self.finish is None:
            draft = self._draft()
            tokens = [*self.pending, *draft]
            outputs = yield from self.lease.evaluate(tokens, outputs=1 + len(draft))
            self._read(outputs, len(self.pending) - 1, draft)

    def finish_reply(self) -> None:
        """Send the rest of the text, and the end."""
        rest = self.text.close()
        if rest:
            self._emit_text(rest)
        now_s = time.monotonic()
        started_s = self.lease.first_pass_s or now_s
        total_s = now_s - self.arrived_s
        self.emit(
            Finished(
                finish_reason=self.finish or FinishReason.STOP,
                usage=Usage(
                    prompt_tokens=len(self.encoded.tokens),
                    cached_tokens=self.lease.cached_tokens,
                    completion_tokens=self.produced,
                    forced_tokens=self.forced,
                    passes=self.lease.passes,
                    drafted_tokens=self.drafted,
                    accepted_tokens=self.accepted,
                ),
                queued_s=started_s - self.arrived_s,
                first_token_s=total_s if self.first_token_s is None else self.first_token_s,
                total_s=total_s,
            )
        )

    def _draft(self) -> list[int]:
        left = self.request.max_tokens - self.produced
        if left < 1 or self.loaded.model.is_recurrent:
            return []
        return self.drafter.guess(self.pending, grammar=self.grammar, limit=left)

    def _read(self, outputs: Outputs, row: int, draft: list[int]) -> None:
        """Decide on the tokens after a step, as far as its guesses were right.

        Args:
            outputs: Of the step that held the decided tokens and the guesses.
            row: Place of the last decided token in it.
            draft: The guesses.
        """
        before = len(self.lease.held) - len(draft)
        right = tried = 0
        self.pending = []
        while self.finish is None and not self.pending:
            decided = self._take_next(outputs.logits(row + right))
            agreeing = _agreeing(decided, draft[right:])
            tried += min(1, len(draft) - right) if agreeing == 0 else agreeing
            right += agreeing
            self.pending = decided[agreeing:]
        self.drafted += len(draft)
        self.accepted += right
        self.drafter.record(tried=tried, right=right)
        self.lease.cut(before + right)

    def _take_next(self, logits: NDArray[np.float32]) -> list[int]:
        """Choose a token and take what the grammar forces after it; both are returned."""
        self.pending = []
        if self.grammar is not None:
            token = self.grammar.pick(logits, self.request.sampling, rng=self.rng)
        else:
            token = pick_token(logits, self.request.sampling, rng=self.rng)
        if token in self.loaded.model.end_tokens:
            self.finish = FinishReason.STOP
            return []
        if self.grammar is not None:
            self.grammar.accept([token])
        self._add(token)
        self._take_forced()
        return self.pending

    def _take_forced(self) -> None:
        if self.grammar is None:
            return
        for token in self.grammar.forced_tokens() if self.finish is None else ():
            if self.finish is not None:
                return
            self.forced += 1
            self._add(token)
        # A sentence that is whole at its last allowed token was not cut off.
        if self.finish is not FinishReason.STOP and self.grammar.is_complete:
            self.finish = FinishReason.STOP

    def _add(self, token: int) -> None:
        self.produced += 1
        self.pending.append(token)
        self.drafter.append(token)
        self._show(self.loaded.model.piece(token))
        total = len(self.encoded.tokens) + self.produced
        if self.text.stopped:
            self.finish = FinishReason.STOP
        elif self.produced >= self.request.max_tokens or total >= self.loaded.context_tokens:
            self.finish = FinishReason.LENGTH

    def _show(self, data: bytes) -> None:
        skipped = min(self.literal_bytes_left, len(data))
        self.literal_bytes_left -= skipped
        shown = self.text.push(data[skipped:])
        if shown:
            self._emit_text(shown)

    def _emit_text(self, shown: str) -> None:
        if self.first_token_s is None:
            self.first_token_s = time.monotonic() - self.arrived_s
        self.emit(TextDelta(text=shown))


def _agreeing(decided: Sequence[int], draft: Sequence[int]) -> int:
    count = 0
    for token, guess in zip(decided, draft, strict=False):
        if token != guess:
            break
        count += 1
    return count
