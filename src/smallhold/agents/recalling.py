"""What an agent is reminded of before it answers: this file holds passages beside a message.

They stand with the user's latest message, after everything that is the same in every turn, and only
while it is answered: the conversation that is kept does not hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallhold.agents.prompts import rewritten_question
from smallhold.agents.result import Result
from smallhold.exceptions import ConfigError
from smallhold.messages import Message
from smallhold.state.recall import Passage, Recaller, TokenCounter, joined

DEFAULT_RECALL_TOKENS: Final = 600
"""Three or four paragraphs: about three seconds of prompt for a model of half a billion weights on
two cores, and more than that distracts it."""
HEADING: Final = "What is known:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Where an agent looks things up, and how much it may be reminded of at once.

    Raises:
        ConfigError: There is nothing to look in, or no room.
    """

    recallers: tuple[Recaller, ...]
    """Asked in this order; each may take its part of the room and what those before it left."""
    limit_tokens: int = DEFAULT_RECALL_TOKENS

    def __post_init__(self) -> None:
        """Check both."""
        if not self.recallers:
            raise ConfigError(
                field="recall", value=(), remedy="give a memory or a knowledge, or leave it out"
            )
        if self.limit_tokens < 1:
            raise ConfigError(
                field="recall.limit_tokens", value=self.limit_tokens, remedy="give at least 1"
            )

    @classmethod
    def of(cls, given: Recall | Recaller | None) -> Recall | None:
        """Take what an agent was given."""
        if given is None or isinstance(given, Recall):
            return given
        return cls(recallers=(given,))

    async def passages(
        self, text: str, *, session: str | None, count_tokens: TokenCounter
    ) -> tuple[Passage, ...]:
        """Find what is known about a message.

        Args:
            text: What the user says.
            session: The conversation it is said in.
            count_tokens: Counts a text's tokens with the answering model's tokenizer.

        Raises:
            StateError: What is known cannot be read.
        """
        found: list[Passage] = []
        left_tokens = self.limit_tokens
        for number, recaller in enumerate(self.recallers):
            share_tokens = left_tokens // (len(self.recallers) - number)
            part = await recaller.recall(
                text, session=session, limit_tokens=share_tokens, count_tokens=count_tokens
            )
            found += part
            if part:
                left_tokens -= await count_tokens(joined(part))
        return tuple(found)


def with_passages(
    conversation: Sequence[Message], passages: Sequence[Passage]
) -> tuple[Message, ...]:
    """Put passages beside the user's latest message.

    Args:
        conversation: Messages in order.
        passages: What was found; with none the conversation stays as it is.
    """
    if not passages:
        return tuple(conversation)
    known = f"{HEADING}\n{joined(passages)}"
    return rewritten_question(conversation, lambda asked: f"{known}\n\n{asked}")


def cited(result: Result[object], passages: Sequence[Passage]) -> Result[object]:
    """Say which sentences of a result's text stand in what was found, and where.

    Args:
        result: The finished result.
        passages: What the model was shown.
    """
    # Only here is anything of the state loaded, by an agent that has some of it already.
    from smallhold.state.knowledge.citations import citations_of  # noqa: PLC0415 - see above

    return replace(result, citations=citations_of(result.text, passages))
