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

from smallhold.agents.leftovers import leftovers, may_want_several
from smallhold.agents.mentions import stems
from smallhold.agents.shared_words import mentioned_at, shared_words
from smallhold.agents.special_calls import ANSWER_NAME, ASK_NAME, CANNOT_NAME, INSTEAD_OF_A_CALL
from smallhold.generation import Scores
from smallhold.messages import ToolCall, ToolSchema
from smallhold.models.calibration import Calibration, LinearRule

RIVAL_MARGIN: Final = 2.75
"""Nats within which a less likely tool is still worth filling. Source: `docs/accuracy.md`,
ablation."""
MAX_RIVALS: Final = 2
"""Each rival costs a fill of a dozen passes."""
_MIN_STEM_CHARS: Final = 3
"""Shorter words are articles and prepositions."""
_USED_NATS: Final = 3.0
"""What a tool must lead by to be called once more for a message for which another tool was not
called yet: right later tool on 95 % of 130 steps of `parallel_multiple`, 84 % without. Source:
`docs/accuracy.md`, further calls."""
_WISH_NATS: Final = 8.0
"""Within these of the best tool, another may be the one for the first of several wishes."""
_PLACE_NATS: Final = 45.0
"""What a message's whole length counts for in their order. Both: first wish's tool on 61 of
77 rows of `parallel_multiple`, 40 without, no loss on 202 rows that want one call. Source:
`docs/accuracy.md`, further calls."""
PLAIN_FURTHER: Final = LinearRule(weights={"over_done": 1.0}, intercept=0.0)
"""Reads whether one more call is wanted, for models without a calibration."""
MAX_LEAD: Final = 5.0
"""Nats by which the best tool leads where there is no second, and the most that counts."""
PLAIN_PICK: Final = LinearRule(
    weights={"score": 1.0, "bias": -0.5, "name_shared": 2.0}, intercept=0.0
)
"""Orders tools by how well they fit, for models without a calibration. Right tool of several on 80
rows of BFCL: by score alone 78 %, less half the bias 84 %, with the name's words 88 %. Source:
`docs/accuracy.md`, calibration."""
SCORE_PICK: Final = LinearRule(weights={"score": 1.0}, intercept=0.0)
"""Orders tools where examples of the agent's own have taught the model what a message means."""


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
    pick = pick_rule(scores, calibration)
    order = _by_fit(scores, tools, text=text, pick=pick)
    features = _features(scores, tools, text=text, order=order)
    asked = _as_asked_for(order, tools, text=text) if pick is not SCORE_PICK else order
    margin = plain_margin(features) if calibration is None else calibration.call(features)
    special = _special(scores.log_probs, len(tools))
    return Decision(
        tool=tools[asked[0].index].name if must_call or margin >= 0.0 else None,
        margin=margin,
        rivals=tuple(
            tools[one.index].name
            for one in asked[1 : MAX_RIVALS + 1]
            if order[0].fit - one.fit <= RIVAL_MARGIN
        ),
        can_answer=special[ANSWER_NAME] >= special[CANNOT_NAME],
        features=features,
    )


def pick_rule(scores: Scores, calibration: Calibration | None) -> LinearRule:
    """Choose how tools are ordered: examples teach what bias and words would be needed for."""
    if scores.baseline_log_probs is None:
        return SCORE_PICK
    return PLAIN_PICK if calibration is None else calibration.pick


def decision_features(
    scores: Scores, tools: Sequence[ToolSchema], *, text: str, pick: LinearRule
) -> dict[str, float]:
    """Say what a decision can be read from.

    Args:
        scores: As in `read_decision`.
        tools: As in `read_decision`.
        text: The message that is decided on.
        pick: How tools are ordered; weighs `tool_features`.

    Returns:
        `over_answer`, `over_cannot`, `over_ask`: the likeliest tool over each special call, nats;
        `bias_over_answer` ...: the same after a message without content, 0 without a baseline;
        `tool`: its log-probability; `tool_gain`: that over its own without content;
        `tools`: logarithm of their number; `lead`: over the second tool, at most 5 nats;
        `overlap`: share of the words of its name and description that the message has;
        `words`: logarithm of 1 + the message's different words; and those of `shared_words`.
    """
    order = _by_fit(scores, tools, text=text, pick=pick)
    return _features(scores, tools, text=text, order=order)


def _features(
    scores: Scores, tools: Sequence[ToolSchema], *, text: str, order: Sequence[_Fit]
) -> dict[str, float]:
    count = len(tools)
    best = order[0].index
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
        "lead": min(order[0].fit - order[1].fit, MAX_LEAD) if count > 1 else MAX_LEAD,
        "overlap": len(described & said) / max(1, len(described)),
        "words": math.log1p(len(said)),
        **shared_words(text, tools[best]),
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


def _long_stems(text: str) -> set[str]:
    return {stem for stem in stems(text.replace("_", " ")) if len(stem) >= _MIN_STEM_CHARS}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """How well one tool fits a message, in nats."""

    index: int
    fit: float


def tool_features(scores: Scores, tool: ToolSchema, *, index: int, text: str) -> dict[str, float]:
    """Say what can be read of how well one tool fits.

    Returns:
        `score`: its log-probability; `bias`: that after a message without content, 0 without a
        baseline; and those of `shared_words`.
    """
    baseline = scores.baseline_log_probs
    return {
        "score": scores.log_probs[index],
        "bias": 0.0 if baseline is None else baseline[index],
        **shared_words(text, tool),
    }


def _by_fit(
    scores: Scores, tools: Sequence[ToolSchema], *, text: str, pick: LinearRule
) -> list[_Fit]:
    """Order tools by how well they fit, the best first."""
    found = [
        _Fit(index=index, fit=pick(tool_features(scores, tool, index=index, text=text)))
        for index, tool in enumerate(tools)
    ]
    return sorted(found, key=lambda one: -one.fit)


def _as_asked_for(order: list[_Fit], tools: Sequence[ToolSchema], *, text: str) -> list[_Fit]:
    """Put first, of the tools that fit a message for several calls, the one it speaks of first.

    Arguments are taken up in the order of the message, so another tool would get the wrong ones.
    """
    if not may_want_several(text):
        return order
    fitting = [one for one in order if order[0].fit - one.fit <= _WISH_NATS]
    first = max(
        fitting,
        key=lambda one: one.fit - _PLACE_NATS * mentioned_at(text, tools[one.index]),
    )
    return [first, *(one for one in order if one is not first)]


def filled_features(
    decision: Decision, *, arguments: int, required: int, invented: int, unmentioned: int
) -> dict[str, float]:
    """Say what can be read, once arguments are there, of whether the call should be made.

    Args:
        decision: For the tool; one that was read from features.
        arguments: Arguments that the call has.
        required: Arguments that the tool requires.
        invented: Required arguments that nobody mentioned and the model filled all the same.
        unmentioned: Values that nobody mentioned, those left out again included.

    Returns:
        Those of `decision_features`; `invented` and `unmentioned` as numbers; `invented_share` of
        the required arguments; `said`: arguments that were mentioned; `required`: logarithm of 1 +
        how many are required.
    """
    return {
        **(decision.features or {}),
        "invented": float(invented),
        "unmentioned": float(unmentioned),
        "invented_share": invented / max(1, required),
        "said": float(max(0, arguments - invented)),
        "required": math.log1p(required),
    }


def next_tool(scores: Scores, tools: Sequence[ToolSchema], *, made: Sequence[ToolCall]) -> int:
    """Choose the tool of a further call: an unused one before one that was called already.

    Args:
        scores: For each of `tools`, then for no further call.
        tools: In the order in which they were scored, at least one.
        made: The calls that were decided for this message.

    Returns:
        Its index.
    """
    used = {call.name for call in made}
    fits = [
        score - _USED_NATS * (tool.name in used)
        for score, tool in zip(scores.log_probs, tools, strict=False)
    ]
    return _best(fits, len(tools))


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
        `over_done`: the tool that would be called over no further call, nats; `is_same`: 1 where it
        is the tool of the last call; `is_second`: 1 after one call, else 0; `second_words`:
        `is_second` times the logarithm of 1 + the message's words; and those of `leftovers`.
    """
    best = next_tool(scores, tools, made=made)
    is_second = float(len(made) == 1)
    return {
        "over_done": scores.log_probs[best] - scores.log_probs[-1],
        "is_same": float(tools[best].name == made[-1].name),
        "is_second": is_second,
        "second_words": is_second * math.log1p(len(text.split())),
        **leftovers(text, tools, made=made),
    }
