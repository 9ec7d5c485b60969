"""How well a model predicts a text: this file holds the figures, and the agreement of two models.

Source: perplexity is the exponential of the mean negative log-probability of a token. Agreement is
the share of places where both models think the same token likeliest, "same top p" in llama.cpp's
`tools/perplexity`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallhold.engine.job import Likelihoods
from smallhold.messages import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQuality:
    """How likely a model found the tokens of a text."""

    tokens: int
    """Tokens that were predicted."""
    mean_log_prob: float
    """Natural logarithm, on average over the tokens; nearer to 0 is better."""
    likeliest: tuple[int, ...]
    """What the model thought likeliest in each place."""

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens the model was undecided, on average."""
        return math.exp(-self.mean_log_prob)

    def to_dict(self) -> JsonObject:
        """The figures as JSON."""
        return {
            "tokens": self.tokens,
            "mean_log_prob": round(self.mean_log_prob, 5),
            "perplexity": round(self.perplexity, 4),
        }


def text_quality(read: Likelihoods) -> TextQuality | None:
    """Sum up what a model thought of a text; `None` for a text of fewer than two tokens."""
    if not read.log_probs:
        return None
    return TextQuality(
        tokens=len(read.log_probs),
        mean_log_prob=math.fsum(read.log_probs) / len(read.log_probs),
        likeliest=tuple(read.likeliest),
    )


def agreement(one: TextQuality, other: TextQuality) -> float | None:
    """Share of places, 0 to 1, where both think the same token likeliest.

    `None` where they split the text into different numbers of tokens.
    """
    if one.tokens != other.tokens:
        return None
    pairs = zip(one.likeliest, other.likeliest, strict=True)
    return sum(mine == theirs for mine, theirs in pairs) / one.tokens
