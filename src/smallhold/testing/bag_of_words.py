"""Vectors without a model: this file holds the embedding that counts words."""

from __future__ import annotations

import math
import zlib
from typing import Final

from smallhold.generation import Prompt
from smallhold.messages import Role

DIMENSIONS: Final = 64
"""Words of a few sentences rarely meet in one of these."""


def bag_of_words(prompt: Prompt) -> tuple[float, ...]:
    """Turn a prompt into a vector, the same in every run: texts that share words are close.

    Instructions and fixed messages say nothing of what this prompt is about, and are left out.

    Returns:
        float [DIMENSIONS], of length 1.

    Source:
        Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", section 2.
    """
    counts = [0] * DIMENSIONS
    for word in _volatile_text(prompt).lower().split():
        counts[zlib.crc32(word.encode("utf-8", "surrogatepass")) % DIMENSIONS] += 1
    if not any(counts):
        # A vector without a direction could not be compared with any other.
        counts[0] = 1
    length = math.hypot(*counts)
    return tuple(count / length for count in counts)


def _volatile_text(prompt: Prompt) -> str:
    spoken = [message for message in prompt.messages if message.role is not Role.SYSTEM]
    texts = [message.content for message in spoken[prompt.fixed_messages :]]
    return " ".join([*texts, prompt.continuation])
