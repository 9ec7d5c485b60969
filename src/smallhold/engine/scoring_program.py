"""Choosing by scoring: this file holds the evaluation of many choices after one prompt.

All choices are branches of one batch: the prompt's last tokens belong to every branch, and tokens
that several choices share are evaluated once, so a decision costs one forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final, TypeAlias

import numpy as np

from smallhold.engine.batch import Batch
from smallhold.engine.deciding import Path, decided_log_probs, deciding_parts
from smallhold.engine.lease import Lease, take_lease
from smallhold.engine.llama import MAX_OUTPUTS
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.program import Outputs, Program, Step, Wait
from smallhold.engine.prompting import EncodedPrompt
from smallhold.engine.sampling import log_softmax
from smallhold.engine.wire import Reply, Scored
from smallhold.exceptions import ConfigError
from smallhold.generation import Prompt, ScoreRequest, ScoreScope
from smallhold.messages import Usage

MAX_CHOICES: Final = 1024
"""More labels than this need retrieval first, not a pass each forty."""

MAX_CHOICE_TOKENS: Final = MAX_OUTPUTS
"""Every token of a choice but its last is one output of the pass, as is the prompt's last."""

ScoreProgram: TypeAlias = Generator[Step | Wait, Outputs, list[float]]
Nodes: TypeAlias = list[tuple[Path, list[int]]]
"""Paths whose following token is wanted, each with the branches through it; parents first."""


def score(loaded: LoadedModel, request: ScoreRequest, *, emit: Callable[[Reply], None]) -> Program:
    """Evaluate how likely each choice is as the prompt's continuation.

    Raises:
        ConfigError: there are no choices, too many, an empty one or a very long one.
        ContextOverflowError: the prompt does not fit.
    """
    _check_choices(request.choices)
    ranking = _Ranking(
        loaded=loaded,
        choices=request.choices,
        scope=request.scope,
        priority=request.scheduling.priority,
    )
    baseline = None
    if request.baseline is not None:
        baseline = yield from ranking.remembered(request.baseline)
    log_probs = yield from ranking.log_probs(request.prompt)
    emit(
        Scored(
            log_probs=log_probs,
            baseline_log_probs=baseline,
            token_counts=ranking.token_counts,
            usage=ranking.usage,
        )
    )


@dataclass(slots=True, kw_only=True)
class _Ranking:
    loaded: LoadedModel
    choices: Sequence[str]
    scope: ScoreScope
    priority: int
    token_counts: list[int] = field(default_factory=list[int])
    usage: Usage = field(default_factory=Usage)

    def remembered(self, prompt: Prompt) -> ScoreProgram:
        """Score after a prompt that comes again and again, once."""
        encoded = self.loaded.encoder.encode(prompt, splits_tail=True)
        text = (encoded.tokens.tobytes(), encoded.tail)
        key = (*text, prompt.adapter, self.scope, tuple(self.choices))
        known = self.loaded.baselines.get(key)
        if known is None:
            known = yield from self.log_probs(prompt)
            self.loaded.baselines.put(key, known)
        return known

    def log_probs(self, prompt: Prompt) -> ScoreProgram:
        encoded = self.loaded.encoder.encode(prompt, splits_tail=True)
        paths = [
            tuple(self.loaded.model.tokenize(encoded.tail + choice, parse_special=False))
            for choice in self.choices
        ]
        # Tokens of the last line that all choices begin with are part of the prompt.
        pieces = [len(self.loaded.model.piece(token)) for token in paths[0]]
        common = min(
            common_length(paths), tokens_within(pieces, limit_bytes=len(encoded.tail.encode()))
        )
        encoded = replace(
            encoded,
            tokens=np.concatenate((encoded.tokens, np.asarray(paths[0][:common], dtype=np.int32))),
        )
        self.loaded.check_fits(encoded)
        branches = [path[common:] for path in paths]
        if self.scope is ScoreScope.DECIDING:
            branches = deciding_parts(branches)
        _check_lengths(self.choices, branches)
        lease = yield from take_lease(
            self.loaded,
            encoded,
            answer_tokens=MAX_OUTPUTS,
            adapter=prompt.adapter,
            priority=self.priority,
        )
        with lease:
            scoring = _Scoring(loaded=self.loaded, encoded=encoded, lease=lease)
            yield from scoring.run(branches)
            self.token_counts = [len(branch) for branch in branches]
            self.usage += Usage(
                prompt_tokens=len(encoded.tokens),
                cached_tokens=lease.cached_tokens,
                passes=lease.passes,
            )
            if self.scope is ScoreScope.DECIDING:
                return decided_log_probs(branches, scoring.next_log_probs)
            return [scoring.log_prob(branch) for branch in branches]


def _check_choices(choices: Sequence[str]) -> None:
    if not 1 <= len(choices) <= MAX_CHOICES:
        raise ConfigError(
            field="choices", value=len(choices), remedy=f"give 1 to {MAX_CHOICES} choices"
        )
    if "" in choices:
        raise ConfigError(field="choices", value="", remedy="leave empty choices out")


def _check_lengths(choices: Sequence[str], branches: Sequence[Path]) -> None:
    for choice, branch in zip(choices, branches, strict=True):
        if len(branch) > MAX_CHOICE_TOKENS:
            raise ConfigError(
                field="choices",
                value=choice,
                remedy=f"it has {len(branch)} tokens; give at most {MAX_CHOICE_TOKENS}",
            )


def tokens_within(piece_bytes: Sequence[int], *, limit_bytes: int) -> int:
    """Count the leading tokens that end within a number of bytes."""
    return sum(end <= limit_bytes for end in accumulate(piece_bytes))


def common_length(paths: Sequence[Path]) -> int:
    """Count the tokens that all paths share, leaving each at least one of its own."""
    shortest = min(len(path) for path in paths)
    common = 0
    while common < shortest - 1 and len({path[common] for path in paths}) == 1:
        common += 1
    return common


def inner_nodes(branches: Sequence[Path]) -> Nodes:
    """List the trie nodes whose following token is wanted.

    The root is left out: it is the prompt's last token.
    """
    nodes: dict[Path, list[int]] = {}
    for index, branch in enumerate(branches):
        for end in range(1, len(branch)):
            nodes.setdefault(branch[:end], []).append(index)
    return sorted(nodes.items(), key=lambda item: len(item[0]))


def separate_nodes(branches: Sequence[Path]) -> Nodes:
    """List the same nodes for models whose sequences cannot share a token."""
    nodes = [
        (branch[:end], [index])
        for index, branch in enumerate(branches)
        for end in range(1, len(branch))
    ]
    return sorted(nodes, key=lambda item: len(item[0]))


def grouped(
    branches: Sequence[Path],
    *,
    width: int,
    outputs: int,
    list_nodes: Callable[[Sequence[Path]], Nodes] = inner_nodes,
) -> Iterator[list[Path]]:
    """Split branches into groups of at most `width` that have at most `outputs` nodes."""
    group: list[Path] = []
    for branch in branches:
        if group and (len(group) == width or len(list_nodes([*group, branch])) > outputs):
            yield group
            group = []
        group.append(branch)
    if group:
        yield group


@dataclass(slots=True, kw_only=True)
class _Scoring:
    loaded: LoadedModel
    encoded: EncodedPrompt
    lease: Lease
    next_log_probs: dict[Path, dict[int, float]] = field(
        default_factory=dict[Path, dict[int, float]]
    )
    """For each trie node, the log-probability of the tokens that some choice continues with."""

    def log_prob(self, branch: Path) -> float:
        return sum(self.next_log_probs[branch[:end]][branch[end]] for end in range(len(branch)))

    def run(self, branches: Sequence[Path]) -> Program:
        is_recurrent = self.loaded.model.is_recurrent
        list_nodes = separate_nodes if is_recurrent else inner_nodes
        prompt, width = self.encoded.tokens, self.loaded.branch_width
        for group in grouped(branches, width=width, outputs=MAX_OUTPUTS - 1, list_nodes=list_nodes):
            nodes = list_nodes(group)
            # A running state is forked whole, when the prompt has been read to its end.
            room = 1 if is_recurrent else max(1, self.loaded.step_tokens - len(nodes))
            until = len(prompt) - room
            if self.loaded.model.keeps_whole_states:
                # What other prompts share can be kept only when reading pauses there.
                until = max(until, min(self.encoded.stable_tokens, len(prompt) - 1))
            yield from self.lease.read_prompt(until=until)
            if is_recurrent and len(self.lease.held) < len(prompt):
                yield from self._evaluate([], [], wanted=branches)
            # Choices of one token are all read after the prompt, whatever group they are in.
            if nodes or len(self.lease.held) < len(prompt):
                yield from self._evaluate(group, nodes, wanted=branches)

    def _evaluate(self, group: Sequence[Path], nodes: Nodes, *, wanted: Sequence[Path]) -> Program:
        rest = self.encoded.tokens[len(self.lease.held) :].tolist()
        free, context = self.loaded.branch_sequences, self.loaded.context
        while len(free) < len(group):
            yield Wait(for_room=True)
        used = [free.pop() for _ in group]
        for sequence in used:
            context.copy(self.lease.sequence, sequence)
        try:
            step = Step(batch=self._batch(rest, nodes, used), mode=self.lease.mode)
            outputs = yield from self.lease.run(step, rest)
            if rest:
                self._read((), outputs, index=len(rest) - 1, wanted=wanted)
            for offset, (path, _) in enumerate(nodes):
                self._read(path, outputs, index=len(rest) + offset, wanted=wanted)
        finally:
            for sequence in used:
                context.remove(sequence)
            free += used

    def _batch(self, rest: Sequence[int], nodes: Nodes, used: Sequence[int]) -> Batch:
        start = len(self.lease.held)
        everyone = (self.lease.sequence, *used)
        wants = np.ones(len(rest) + len(nodes), dtype=np.int8)
        wants[: max(0, len(rest) - 1)] = 0
        return Batch(
            tokens=np.asarray([*rest, *(path[-1] for path, _ in nodes)], dtype=np.int32),
            positions=np.asarray(
                [
                    *range(start, start + len(rest)),
                    *(start + len(rest) + len(path) - 1 for path, _ in nodes),
                ],
                dtype=np.int32,
            ),
            sequences=(
                *((everyone,) * len(rest)),
                *(tuple(used[index] for index in through) for _, through in nodes),
            ),
            wants_output=wants,
        )

    def _read(self, path: Path, outputs: Outputs, *, index: int, wanted: Sequence[Path]) -> None:
        log_probs = log_softmax(outputs.logits(index))
        following = {
            branch[len(path)]
            for branch in wanted
            if len(branch) > len(path) and branch[: len(path)] == path
        }
        self.next_log_probs[path] = {token: float(log_probs[token]) for token in following}
