"""Drawing a token from logits: this file holds the sampler."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smallhold.generation import Sampling


def pick_token(logits: NDArray[np.float32], sampling: Sampling, *, rng: np.random.Generator) -> int:
    """Choose the next token.

    Args:
        logits: float32 [n_vocab]; forbidden tokens are at minus infinity.
        sampling: Temperature 0 takes the arg-max and draws nothing from `rng`.
        rng: Source of randomness, one per request.

    Source:
        Nucleus sampling: Holtzman et al. 2020, section 3.1. Min-p: Nguyen et al. 2024, section 3.
        Filters are applied to the distribution at the given temperature, min-p first.
    """
    if sampling.temperature <= 0.0:
        return int(np.argmax(logits))
    candidates = np.flatnonzero(np.isfinite(logits))
    # Shifted before it is scaled: near temperature 0 the quotient would overflow.
    shifted = logits[candidates].astype(np.float64)
    shifted -= shifted.max()
    with np.errstate(over="ignore"):
        probabilities = np.exp(shifted / sampling.temperature)
    probabilities /= probabilities.sum()
    keep = _kept(probabilities, sampling)
    kept = probabilities[keep]
    return int(candidates[keep][rng.choice(len(keep), p=kept / kept.sum())])


def _kept(probabilities: NDArray[np.float64], sampling: Sampling) -> NDArray[np.int64]:
    order = np.argsort(-probabilities, kind="stable")
    sorted_probabilities = probabilities[order]
    keep = sorted_probabilities >= sampling.min_p * sorted_probabilities[0]
    # The token that crosses top_p stays in, and the likeliest one whatever the filters say.
    before = np.cumsum(sorted_probabilities) - sorted_probabilities
    keep &= before < sampling.top_p
    keep[0] = True
    return order[keep]


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn logits into natural log-probabilities, float64 [n_vocab]."""
    wide = logits.astype(np.float64)
    wide -= wide.max()
    return wide - np.log(np.exp(wide).sum())
