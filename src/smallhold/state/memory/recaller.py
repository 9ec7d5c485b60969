"""An agent that knows whom it talks to: this file holds the recaller of a user's facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from smallhold.state.memory.memory import Memory
from smallhold.state.recall import Passage, TokenCounter

SubjectOf: TypeAlias = str | Callable[[str | None], str | None]
"""A subject for all conversations; or a function that tells the subject of a session, `None` for
nobody known."""


class MemoryRecaller:
    """Reminds an agent of what is known of the one it talks to, and of nobody else."""

    def __init__(self, memory: Memory, *, subject_of: SubjectOf) -> None:
        """Wrap a memory.

        Args:
            memory: Where the facts are.
            subject_of: Whose facts. It decides who sees what about whom, so it must not believe
                what the conversation itself says.
        """
        self._memory = memory
        self._subject_of = subject_of

    async def recall(
        self, text: str, *, session: str | None, limit_tokens: int, count_tokens: TokenCounter
    ) -> tuple[Passage, ...]:
        """Find the facts that a message is about; nothing where nobody is known.

        Raises as `Memory.recall`.
        """
        subject = self.subject(session)
        if subject is None:
            return ()
        found = await self._memory.recall(
            text, subject=subject, budget_tokens=limit_tokens, count_tokens=count_tokens
        )
        return tuple(one.as_passage() for one in found.facts)

    def subject(self, session: str | None) -> str | None:
        """Tell whose facts a session may see."""
        return self._subject_of if isinstance(self._subject_of, str) else self._subject_of(session)
