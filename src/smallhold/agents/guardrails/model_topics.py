"""Topics by the agent's own model: this file holds a classifier of one scored forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smallhold.agents.call_script import CONTENT_FREE_TEXT
from smallhold.exceptions import ConfigError
from smallhold.generation import Prompt, ScoreRequest, normalised
from smallhold.messages import Message, Role
from smallhold.runtimes.protocol import Runtime

OTHER: Final = "other"
"""Scored beside the topics, for messages that have none of them."""


@dataclass(frozen=True, slots=True)
class ModelTopics:
    """Gives each topic a probability by the model's own preference, less its bias.

    Small models tell topics apart that differ plainly; measure yours before you block by them.

    Raises:
        ConfigError: no topic, or one called `other`.
    """

    runtime: Runtime
    """A runtime with `Capability.SCORING`."""
    topics: Mapping[str, str]
    """For each topic's label, what belongs to it, in a few words."""

    def __post_init__(self) -> None:
        """Check the labels."""
        if not self.topics or OTHER in self.topics:
            raise ConfigError(
                field="topics",
                value=sorted(self.topics),
                remedy=f"give at least one topic, and none called {OTHER!r}",
            )

    async def __call__(self, text: str) -> dict[str, float]:
        """Score all topics in one pass.

        Raises:
            UnsupportedFeatureError: the runtime cannot score.
        """
        labels = (*self.topics, OTHER)
        dialect = self.runtime.limits.dialect
        scores = await self.runtime.score(
            ScoreRequest(
                prompt=self._prompt(text),
                choices=tuple(map(dialect.scored_name, labels)),
                baseline=self._prompt(CONTENT_FREE_TEXT),
            )
        )
        return dict(zip(labels, normalised(scores.calibrated()), strict=True))

    def _prompt(self, text: str) -> Prompt:
        listed = "\n".join(f"- {label}: {about}" for label, about in self.topics.items())
        instructions = (
            f"Name the topic of the user's message. Topics:\n{listed}\n- {OTHER}: anything else"
        )
        return Prompt(
            messages=(
                Message(role=Role.SYSTEM, content=instructions),
                Message(role=Role.USER, content=text),
            ),
            continuation='{"topic": "',
        )
