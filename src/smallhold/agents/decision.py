"""Which tool, or none: this file holds the reading of scores.

Scores are log-probabilities of each tool's name where a call would name it, beside those of the
special calls that stand for answering, asking and being unable to. They are biased: what the model
prefers after a message without content says how much. A model's calibration weighs all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.agents.mentions import stems
from smallhold.agents.special_calls import ANSWER_NAME, ASK_NAME, CANNOT_NAME, INSTEAD_OF_A_CALL
from smallhold.generation import Scores
from smallhold.messages import ToolCall, ToolSchema
from smallhold.models.calibration import Calibration, LinearRule

RIVAL_MARGIN: Final = 2.75
"""Nats within which a less likely tool is still worth filling. Source: `docs/evaluation.md`,
ablation."""
MAX_RIVALS: Final = 2
"""Each rival costs a fill of a dozen passes."""
_MIN_STEM_CHARS: Final = 3
"""Shorter words are articles and prepositions."""
_JOINTS: Final = frozenset({"and", "also", "then", "plus", "und", "et", "y", "e"})
PLAIN_FURTHER: Final = LinearRule(weights={"over_done": 1.0}, intercept=0.0)
"""Reads whether one more call is wanted, for models without a calibration."""
_LONE_TOOL_LEAD: Final = 5.0
"""Nats by which the likeliest tool leads where there is no second, and the most that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the agent does next."""

    tool: str | None
    """Name of the tool to call, `None` for none."""
    margin: float
    """How clear it is that a tool should be called, in nats; negative where none should."""
    rivals: tuple[str, ...] = ()
    """Tools almost as likely as the chosen one, likeliest first."""
    can_answer: bool = True
    """Where no tool is called: whether the model would answer by itself rather than say that it
    cannot help."""
    features: Mapping[str, float] | None = None
    """What the decision was read from; see `decision_features`."""


def read_decision(
    scores: Scores,
    tools: Sequence[ToolSchema],
    *,
    text: str,
    calibration: Calibration | None,
    must_call: bool,
) -> Decision:
    """Turn scores into a decision.

    Args:
        scores: For each of `tools`, then for `INSTEAD_OF_A_CALL`, with or without a baseline.
        tools: In the order in which they were scored, at least one.
        text: The message that is decided on.
        calibration: How this model is read; `None` weighs the tool against the special calls and
            subtracts half the model's bias.
        must_call: Choose the likeliest tool whatever the margin is.
    """
    features = decision_features(scores, tools, text=text)
    margin = plain_margin(features) if calibration is None else calibration.call(features)
    best = _best(scores.log_probs, len(tools))
    special = _special(scores.log_probs, len(tools))
    return Decision(
        tool=tools[best].name if must_call or margin >= 0.0 else None,
        margin=margin,
        rivals=_rivals(scores, tools),
        can_answer=special[ANSWER_NAME] >= special[CANNOT_NAME],
        features=features,
    )


def decision_features(
    scores: Scores, tools: Sequence[ToolSchema], *, text: str
) -> dict[str, float]:
    """Say what a decision can be read from.

    Args:
        scores: As in `read_decision`.
        tools: As in `read_decision`.
        text: The message that is decided on.

    Returns:
        `over_answer`, `over_cannot`, `over_ask`: the likeliest tool over each special call, nats;
        `bias_over_answer` ...: the same after a message without content, 0 without a baseline;
        `tool`: its log-probability; `tool_gain`: that over its own without content;
        `tools`: logarithm of their number; `lead`: over the second tool, at most 5 nats;
        `overlap`: share of the words of its name and description that the message has;
        `words`: logarithm of 1 + the message's different words.
    """
    count = len(tools)
    best = _best(scores.log_probs, count)
    own = _special(scores.log_probs, count)
    tool = scores.log_probs[best]
    baseline = scores.baseline_log_probs
    bias = (0.0,) * len(scores.log_probs) if baseline is None else baseline
    biased, bias_tool = _special(bias, count), max(bias[:count])
    described = _long_stems(f"{tools[best].description} {tools[best].name}")
    said = _long_stems(text)
    return {
        "over_answer": tool - own[ANSWER_NAME],
        "over_cannot": tool - own[CANNOT_NAME],
        "over_ask": tool - own[ASK_NAME],
        "bias_over_answer": bias_tool - biased[ANSWER_NAME],
        "bias_over_cannot": bias_tool - biased[CANNOT_NAME],
        "bias_over_ask": bias_tool - biased[ASK_NAME],
        "tool": tool,
        "tool_gain": tool - bias[best],
        "tools": math.log(count),
        "lead": _lead(scores.log_probs[:count]),
        "overlap": len(described & said) / max(1, len(described)),
        "words": math.log1p(len(said)),
    }


def plain_margin(features: Mapping[str, float]) -> float:
    """Read features without a calibration: the tool over the likelier special call.

    Half of the bias is subtracted: AUROC 0.98 on the offline rows of BFCL, against 0.97 with none
    or all of it. Source: `docs/accuracy.md`, calibration.
    """
    own = min(features["over_answer"], features["over_cannot"])
    return own - min(features["bias_over_answer"], features["bias_over_cannot"]) / 2


def _best(log_probs: Sequence[float], count: int) -> int:
    return max(range(count), key=log_probs.__getitem__)


def _special(log_probs: Sequence[float], count: int) -> dict[str, float]:
    return dict(zip(INSTEAD_OF_A_CALL, log_probs[count:], strict=True))


def _lead(log_probs: Sequence[float]) -> float:
    if len(log_probs) == 1:
        return _LONE_TOOL_LEAD
    first, second = sorted(log_probs, reverse=True)[:2]
    return min(first - second, _LONE_TOOL_LEAD)


def _long_stems(text: str) -> set[str]:
    return {stem for stem in stems(text.replace("_", " ")) if len(stem) >= _MIN_STEM_CHARS}


def _rivals(scores: Scores, tools: Sequence[ToolSchema]) -> tuple[str, ...]:
    log_probs = scores.log_probs
    order = sorted(range(len(tools)), key=lambda index: -log_probs[index])
    close = [index for index in order[1:] if log_probs[order[0]] - log_probs[index] <= RIVAL_MARGIN]
    return tuple(tools[index].name for index in close[:MAX_RIVALS])


def asking_features(
    decision: Mapping[str, float], *, invented: int, required: int
) -> dict[str, float]:
    """Say what can be read of whether the user must be asked first.

    Args:
        decision: What the decision was read from; see `decision_features`.
        invented: Required arguments that nobody mentioned and the model filled all the same.
        required: Required arguments.

    Returns:
        `over_ask`, `bias_over_ask`, `overlap` and `words` of the decision; `invented` as a number;
        `invented_share` of the required ones.
    """
    kept = ("over_ask", "bias_over_ask", "overlap", "words")
    return {
        **{name: decision[name] for name in kept},
        "invented": float(invented),
        "invented_share": invented / max(1, required),
    }


def further_features(
    scores: Scores, tools: Sequence[ToolSchema], *, made: Sequence[ToolCall], text: str
) -> dict[str, float]:
    """Say what can be read of whether one more call is wanted for the same message.

    Args:
        scores: For each of `tools`, then for no further call.
        tools: In the order in which they were scored.
        made: The calls that were decided for this message, at least one.
        text: The message.

    Returns:
        `over_done`: the likeliest tool over no further call, nats; `is_same`: 1 where it is the
        tool of the last call; `made`: how many calls there are; `words`: logarithm of 1 + the
        message's words; `joints`: how many commas, semicolons and words for "and" it has.
    """
    best = _best(scores.log_probs, len(tools))
    words = text.split()
    return {
        "over_done": scores.log_probs[best] - scores.log_probs[-1],
        "is_same": float(tools[best].name == made[-1].name),
        "made": float(len(made)),
        "words": math.log1p(len(words)),
        "joints": float(sum(word.casefold() in _JOINTS or word[-1] in ",;" for word in words)),
    }
