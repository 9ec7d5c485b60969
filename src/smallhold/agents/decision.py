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
"""Pseudo-tool scored beside the real ones. Source: `docs/evaluation.md`: its calibrated margin tells
relevant from irrelevant with an AUROC of 0.94 on 160 BFCL rows, against 0.48 for a yes/no question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the agent does next."""

    tool: str | None
    """Name of the tool to call, `None` to answer."""
    margin: float
    """Best tool over no tool, in nats, less the model's bias."""


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
    return Decision(tool=chosen, margin=margin)


def _bias(scores: Scores, tools: int) -> float:
    baseline = scores.baseline_log_probs
    if baseline is None:
        return 0.0
    return max(baseline[:tools]) - baseline[-1]
