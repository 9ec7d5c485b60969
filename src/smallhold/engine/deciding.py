"""Where choices part: this file holds the reading of scores as a constrained decoder would choose.

Of a choice only the tokens up to where no other choice begins alike decide anything; what follows
is forced, and need not be evaluated.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Path: TypeAlias = tuple[int, ...]
NextLogProbs: TypeAlias = Mapping[Path, Mapping[int, float]]
"""For each trie node, the log-probability of the tokens that some choice continues with."""


def deciding_parts(branches: Sequence[Path]) -> list[Path]:
    """Cut each branch after the token that tells it from all others.

    A branch that another one begins with is kept whole.
    """
    sharing = Counter(branch[:end] for branch in branches for end in range(1, len(branch) + 1))
    return [
        next(
            (branch[:end] for end in range(1, len(branch)) if sharing[branch[:end]] == 1),
            branch,
        )
        for branch in branches
    ]


def decided_log_probs(parts: Sequence[Path], following: NextLogProbs) -> list[float]:
    """Say how likely a decoder that may write nothing but the choices would choose each.

    At each node the tokens that some choice continues with share the whole probability, unless a
    choice ends there: then ending has what the tokens leave.

    Args:
        parts: The choices' deciding parts.
        following: Log-probabilities after each node.
    """
    ends = set(parts)
    shared = {node: 0.0 if node in ends else _log_sum(next_) for node, next_ in following.items()}

    def log_prob(part: Path) -> float:
        taken = sum(
            following[part[:end]][token] - shared[part[:end]] for end, token in enumerate(part)
        )
        return taken + (_log_rest(following[part]) if part in following else 0.0)

    return [log_prob(part) for part in parts]


def _log_sum(log_probs: Mapping[int, float]) -> float:
    highest = max(log_probs.values())
    return highest + math.log(sum(math.exp(value - highest) for value in log_probs.values()))


def _log_rest(log_probs: Mapping[int, float]) -> float:
    left = 1.0 - sum(math.exp(value) for value in log_probs.values())
    return math.log(left) if left > 0.0 else -math.inf
