"""What an agent talks about: this file holds the guardrail for topics.

Topics are recognised by words, or by any function that gives each topic a probability, such as
`ModelTopics`, which asks the agent's own model.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from smallhold.agents.guardrails.checks import InputCheck
from smallhold.agents.guardrails.normalisation import fold
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.exceptions import ConfigError

TopicClassifier: TypeAlias = Callable[[str], Mapping[str, float] | Awaitable[Mapping[str, float]]]
"""Gives each topic a probability from 0 to 1, at once or after awaiting it."""

OFF_TOPIC: Final = "That is not something I can help with here."
DEFAULT_THRESHOLD: Final = 0.5
"""More likely than not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Keeps messages to the allowed topics and off the blocked ones.

    Raises:
        ConfigError: nothing is allowed or blocked, a topic is named that has no words and no
            classifier, or the threshold is no probability.
    """

    blocked: Collection[str] = ()
    """Topics that end the run."""
    allowed: Collection[str] | None = None
    """Topics of which a message must have one; `None` allows all that are not blocked."""
    words: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    """For a topic, the words that show it. Case and accents do not count; a star stands for any
    ending: `invest*`."""
    classifier: TopicClassifier | None = None
    """Asked unless the words already block."""
    threshold: float = DEFAULT_THRESHOLD
    """Least probability for the classifier's topics to count."""
    message: str = OFF_TOPIC
    name: str = "topics"

    def __post_init__(self) -> None:
        """Check that every topic can be recognised."""
        if not self.blocked and self.allowed is None:
            raise ConfigError(field="blocked", value=(), remedy="name topics to block or to allow")
        if not 0 < self.threshold <= 1:
            raise ConfigError(
                field="threshold", value=self.threshold, remedy="give a probability above 0, to 1"
            )
        for topic, words in self.words.items():
            if not all(word.removesuffix("*").strip() for word in words):
                raise ConfigError(field="words", value=topic, remedy="give no empty words")
        unknown = {*self.blocked, *(self.allowed or ())} - set(self.words)
        if unknown and self.classifier is None:
            raise ConfigError(
                field="words", value=sorted(unknown), remedy="give these topics words"
            )

    async def check_input(self, check: InputCheck) -> Verdict:
        """Recognise the message's topics, by words first."""
        folded = fold(check.text)
        found = {topic for topic in self.words if _shows(folded, tuple(self.words[topic]))}
        verdict = self._verdict(found)
        if verdict is not None and (verdict.reason or self.classifier is None):
            return verdict
        if self.classifier is not None:
            scores = self.classifier(check.text)
            likely = await scores if inspect.isawaitable(scores) else scores
            found |= {topic for topic, share in likely.items() if share >= self.threshold}
        return self._verdict(found) or Verdict.block("no allowed topic", message=self.message)

    def _verdict(self, found: Collection[str]) -> Verdict | None:
        """Decide by the topics found; `None` where an allowed one is still missing."""
        blocked = sorted(set(found) & set(self.blocked))
        if blocked:
            return Verdict.block(f"the topic is {', '.join(blocked)}", message=self.message)
        if self.allowed is None or set(found) & set(self.allowed):
            return Verdict.ok()
        return None


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    choices = (
        re.escape(fold(word.removesuffix("*"))) + r"\w*" * word.endswith("*") for word in words
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(choices)})(?!\w)")


def _shows(folded: str, words: tuple[str, ...]) -> bool:
    return bool(words) and bool(_pattern(words).search(folded))
