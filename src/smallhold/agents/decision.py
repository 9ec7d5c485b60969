"""Which tool, or none: this file holds the reading of scores.

Scores are log-probabilities of each tool's name where a call would name it, beside those of a
pseudo-tool that stands for "none of them". What the model prefers after a message without content
is its bias, and is subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.generation import Scores

NO_TOOL_NAME: Final = "no_suitable_tool"
"""Pseudo-tool scored beside the real ones, and the end of each worked example. Source:
`docs/evaluation.md`, decisions."""
RIVAL_MARGIN: Final = 2.75
"""Nats within which a less likely tool is still worth filling. Source: `docs/evaluation.md`,
ablation."""
MAX_RIVALS: Final = 2
"""Each rival costs a fill of a dozen passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the agent does next."""

    tool: str | None
    """Name of the tool to call, `None` to answer."""
    margin: float
    """Best tool over no tool, in nats, less the model's bias."""
    rivals: tuple[str, ...] = ()
    """Tools almost as likely as the chosen one, likeliest first."""


def read_decision(
    scores: Scores, names: Sequence[str], *, threshold: float, must_call: bool
) -> Decision:
    """Turn scores into a decision.

    Args:
        scores: For each of `names`, then for `NO_TOOL_NAME`, with a baseline.
        names: Tools in the order in which they were scored, at least one.
        threshold: Least margin for a call, in nats.
        must_call: Choose the likeliest tool whatever the margin is.
    """
    best = max(range(len(names)), key=lambda index: scores.log_probs[index])
    margin = scores.log_probs[best] - scores.log_probs[-1] - _bias(scores, len(names))
    chosen = names[best] if must_call or margin >= threshold else None
    return Decision(tool=chosen, margin=margin, rivals=_rivals(scores, names))


def _rivals(scores: Scores, names: Sequence[str]) -> tuple[str, ...]:
    order = sorted(range(len(names)), key=lambda index: -scores.log_probs[index])
    best = scores.log_probs[order[0]]
    close = [index for index in order[1:] if best - scores.log_probs[index] <= RIVAL_MARGIN]
    return tuple(names[index] for index in close[:MAX_RIVALS])


def _bias(scores: Scores, tools: int) -> float:
    baseline = scores.baseline_log_probs
    if baseline is None:
        return 0.0
    return max(baseline[:tools]) - baseline[-1]
