"""A sequence on loan to one request: this file holds how it is filled, used and handed back.

What a request needs of its prompt's beginning may be in three places: in the sequence of a running
request (shared without a copy), in memory as segments of the prefix tree (copied in a few
milliseconds), or on disk as a snapshot. Only running requests occupy the context, since every pass
pays for all of its cells (`docs/benchmarks.md`, occupied cells).
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Final, TypeAlias

import numpy as np

from smallhold.engine.batch import linear_batch
from smallhold.engine.llama import SEGMENT_TOKENS
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.prefix_tree import Match, Piece, Segment
from smallhold.engine.program import Mode, Outputs, Step, Wait
from smallhold.engine.prompting import EncodedPrompt
from smallhold.engine.residents import (
    Donor,
    Resident,
    cells_needed,
    find_donor,
    is_being_computed,
    reusable,
)
from smallhold.engine.snapshots import MIN_SNAPSHOT_TOKENS
from smallhold.exceptions import DecodeError
from smallhold.generation import Priority

MIN_KEPT_TOKENS: Final = 8
"""Fewer are computed again as quickly as they are copied."""

Evaluation: TypeAlias = Generator[Step | Wait, Outputs, Outputs]


def take_lease(
    loaded: LoadedModel,
    encoded: EncodedPrompt,
    *,
    answer_tokens: int,
    adapter: str | None,
    priority: int = Priority.NORMAL,
) -> Generator[Wait, Outputs, Lease]:
    """Wait until a sequence with room for a prompt and its answer is there, and take it.

    Raises:
        UnknownAdapterError: no such LoRA adapter was loaded.
    """
    loaded.require_adapter(adapter)
    prompt = encoded.tokens
    # The rest is for unpacking a segment beside what everybody holds.
    room_tokens = loaded.context.capacity_tokens - SEGMENT_TOKENS
    while loaded.residents:
        known = loaded.prefixes.match(reusable(prompt), adapter=adapter).tokens
        needed = cells_needed(
            loaded.residents,
            prompt=prompt,
            answer_tokens=answer_tokens,
            is_shared=not loaded.model.keeps_whole_states,
            adapter=adapter,
        )
        if is_being_computed(
            prompt, loaded.residents, adapter=adapter, priority=priority, known_tokens=known
        ):
            yield Wait(for_room=False)
        elif not loaded.free_sequences or needed > room_tokens:
            yield Wait(for_room=True)
        else:
            break
    resident = Resident(
        sequence=loaded.free_sequences.pop(),
        adapter=adapter,
        priority=priority,
        prompt=prompt,
        answer_tokens=answer_tokens,
    )
    return Lease(loaded, resident, stable_tokens=encoded.stable_tokens)


class Lease:
    """A sequence on loan to one request; take it with `take_lease`.

    Use as a context manager: leaving it keeps what is worth keeping in the prefix tree, also when
    the request is cancelled between two passes, and frees the sequence.
    """

    def __init__(self, loaded: LoadedModel, resident: Resident, *, stable_tokens: int) -> None:
        self._loaded = loaded
        self._resident = resident
        self._stable = resident.prompt[:stable_tokens]
        self._adapter = resident.adapter
        self._variant = loaded.variant(resident.adapter)
        self._current: tuple[Step, Sequence[int]] | None = None
        self._snapshot: Segment | None = None
        self.sequence = resident.sequence
        self.prompt = resident.prompt
        self.mode = Mode(adapter=resident.adapter)
        self.passes = 0
        self.first_pass_s: float | None = None
        donor, match = self._find()
        loaded.residents.append(resident)
        self.held = resident.held
        """Tokens whose keys and values are in the sequence."""
        self._fill(donor, match)
        self.cached_tokens = len(self.held)

    def __enter__(self) -> Lease:
        """Take the lease; nothing is evaluated yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Free the sequence, having kept what it holds unless a pass failed half-way."""
        if kind is None or not issubclass(kind, DecodeError):
            self._count_partial_step()
            self._keep()
        self._loaded.context.remove(self.sequence)
        self._loaded.free_sequences.append(self.sequence)
        self._loaded.residents.remove(self._resident)

    def evaluate(
        self, tokens: Sequence[int], *, outputs: int, is_divisible: bool = False
    ) -> Evaluation:
        """Evaluate tokens after those held.

        Args:
            tokens: Not empty.
            outputs: How many of the last ones' outputs are wanted; at most one if divisible.
            is_divisible: They may be spread over several passes.
        """
        batch = linear_batch(tokens, start=len(self.held), sequence=self.sequence, outputs=outputs)
        step = Step(batch=batch, mode=self.mode, is_divisible=is_divisible)
        return (yield from self.run(step, tokens))

    def read_prompt(self, *, until: int) -> Generator[Step | Wait, Outputs, None]:
        """Evaluate the prompt's tokens up to `until`, where no output is wanted yet."""
        for end in self._stops(until):
            rest = self.prompt[len(self.held) : end].tolist()
            yield from self.evaluate(rest, outputs=0, is_divisible=True)
            if end == len(self._stable):
                self._keep()

    def run(self, step: Step, tokens: Sequence[int]) -> Evaluation:
        """Have a step evaluated after which the sequence holds these tokens more."""
        if self.first_pass_s is None:
            self.first_pass_s = time.monotonic()
        self._current = (step, tokens)
        outputs = yield step
        self._current = None
        self.passes += step.passes
        self.held += tokens
        return outputs

    def cut(self, length: int) -> None:
        """Forget what is held beyond a length."""
        if length < len(self.held):
            self._loaded.context.remove(self.sequence, start=length)
            del self.held[length:]

    def _find(self) -> tuple[Donor | None, Match]:
        """Look for what is known of the prompt's beginning: running, in memory, on disk."""
        loaded, prompt = self._loaded, self.prompt
        donor = (
            None
            if loaded.model.keeps_whole_states
            else find_donor(prompt, loaded.residents, adapter=self._adapter)
        )
        match = loaded.prefixes.match(reusable(prompt), adapter=self._adapter)
        known = max(match.tokens, 0 if donor is None else donor.tokens)
        self._snapshot = self._load_snapshot() if len(self._stable) > known else None
        if self._snapshot is None:
            loaded.prefixes.use(prompt[: match.tokens], adapter=self._adapter)
            return donor, match
        end = self._snapshot.end
        return donor, Match(pieces=(Piece(segment=self._snapshot, start=0, end=end),), tokens=end)

    def _load_snapshot(self) -> Segment | None:
        snapshots = self._loaded.snapshots
        if snapshots is None or not (
            MIN_SNAPSHOT_TOKENS <= len(self._stable) <= len(reusable(self.prompt))
        ):
            return None
        state = snapshots.load(self._stable, variant=self._variant)
        return None if state is None else Segment(start=0, end=len(self._stable), state=state)

    def _fill(self, donor: Donor | None, match: Match) -> None:
        end = 0
        if donor is not None:
            self._loaded.context.copy(donor.sequence, self.sequence, end=donor.tokens)
            end = donor.tokens
        for piece in match.pieces:
            if piece.end <= end:
                continue
            is_restored = self._restore(piece, start=max(end, piece.start))
            if piece.segment is self._snapshot:
                self._judge_snapshot(piece.segment, is_sound=is_restored)
            if not is_restored:
                break
            end = piece.end
        self.held += self.prompt[:end].tolist()

    def _restore(self, piece: Piece, *, start: int) -> bool:
        """Copy a piece's positions from `start` on into the sequence."""
        context, segment = self._loaded.context, piece.segment
        if start == 0:
            if not context.restore(self.sequence, segment.state):
                return False
            if piece.end < segment.end:
                context.remove(self.sequence, start=piece.end)
            return True
        spare = self._loaded.spare_sequence
        if not context.restore(spare, segment.state):
            return False
        context.copy(spare, self.sequence, start=start, end=piece.end)
        context.remove(spare)
        return True

    def _judge_snapshot(self, segment: Segment, *, is_sound: bool) -> None:
        """Keep a snapshot in memory only once llama.cpp has taken it, or it would stay there."""
        if is_sound:
            self._loaded.prefixes.insert(self._stable, segment, adapter=self._adapter)
        elif self._loaded.snapshots is not None:
            self._loaded.snapshots.discard(self._stable, variant=self._variant)

    def _stops(self, until: int) -> list[int]:
        """List where reading pauses: a running state can be kept only while it is there."""
        stable = len(self._stable)
        if self._loaded.model.keeps_whole_states and len(self.held) < stable < until:
            return [stable, until]
        return [until] if len(self.held) < until else []

    def _count_partial_step(self) -> None:
        if self._current is not None:
            step, tokens = self._current
            self.held += tokens[: step.done_tokens]

    def _keep(self) -> None:
        """Store what the sequence holds and the tree does not."""
        held = np.asarray(self.held, dtype=np.int32)
        stable = len(self._stable)
        is_whole = self._loaded.model.keeps_whole_states
        known = self._loaded.prefixes.match(held, adapter=self._adapter).tokens
        ends = [len(held)] if is_whole else segment_ends(known, stable=stable, end=len(held))
        for end in ends:
            if end - known >= MIN_KEPT_TOKENS:
                segment = self._save(0 if is_whole else known, end)
                self._loaded.prefixes.insert(held[:end], segment, adapter=self._adapter)
                known = end
        self._keep_snapshot()

    def _save(self, start: int, end: int) -> Segment:
        context = self._loaded.context
        if start == 0 and end == len(self.held):
            return Segment(start=0, end=end, state=context.save(self.sequence))
        spare = self._loaded.spare_sequence
        context.copy(self.sequence, spare, start=start, end=end)
        state = context.save(spare)
        context.remove(spare)
        return Segment(start=start, end=end, state=state)

    def _keep_snapshot(self) -> None:
        snapshots, stable, held = self._loaded.snapshots, len(self._stable), len(self.held)
        # A whole state can be kept only where it ends.
        is_there = held == stable if self._loaded.model.keeps_whole_states else held >= stable
        if (
            snapshots is not None
            and stable >= MIN_SNAPSHOT_TOKENS
            and is_there
            and not snapshots.holds(self._stable, variant=self._variant)
        ):
            snapshots.save(self._stable, self._save(0, stable).state, variant=self._variant)


def segment_ends(known: int, *, stable: int, end: int) -> list[int]:
    """List where to cut what is not known yet: the stable beginning apart, and in equal pieces."""
    ends = {stable, end} | set(range(known + SEGMENT_TOKENS, end, SEGMENT_TOKENS))
    return sorted(cut for cut in ends if known < cut <= end)
