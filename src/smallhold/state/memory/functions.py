"""Memory as something that a model may call: this file holds functions to make tools of.

A tool's schema is read from a function's signature. The subject is no part of it: whom facts are
about is decided by the application, so a model can neither ask nor write about anybody else.
"""

# No `from __future__ import annotations`: whoever makes tools reads these annotations at run time.

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.state.memory.fact import Author, Provenance
from smallhold.state.memory.grounding import grounded, speaks_to_agent
from smallhold.state.memory.memory import Memory

CALLED_RATIO: Final = 0.8
"""Confidence in what a model decided to note by a call."""
_FOUND_MAX: Final = 8
"""Facts in one answer; more would fill a small model's window."""


def remember_function(
    memory: Memory, *, subject: str, provenance: Provenance | None = None
) -> Callable[[str, str], Awaitable[str]]:
    """Make a function by which a model remembers something about one subject.

    Args:
        memory: Where facts are kept.
        subject: Who the user is.
        provenance: The agent and the session, for whoever asks later where a fact is from.
    """
    source = replace(provenance or Provenance(), author=Author.AGENT)

    async def remember_about_user(attribute: str, value: str) -> str:
        """Remember something that the user told about themselves, for later conversations.

        Args:
            attribute: What it is, such as favourite drink.
            value: The user's own words for it.
        """
        grounds = grounded(value, value)
        if grounds is None or speaks_to_agent(grounds):
            return "Not remembered: only facts about the user can be."
        try:
            fact = await memory.remember(
                subject, attribute, value, confidence_ratio=CALLED_RATIO, provenance=source
            )
        except ConfigError as error:
            return f"Not remembered: {error.remedy}."
        return f"Remembered: {fact.line}"

    return remember_about_user


def recall_function(memory: Memory, *, subject: str) -> Callable[[str], Awaitable[str]]:
    """Make a function by which a model looks up what is known about one subject.

    Args:
        memory: Where facts are kept.
        subject: Who the user is.
    """

    async def recall_about_user(question: str) -> str:
        """Look up what the user told about themselves in earlier conversations.

        Args:
            question: What is to be known, such as which drinks they like.
        """
        found = await memory.recall(question, subject=subject, limit=_FOUND_MAX)
        return found.text or "Nothing is known about the user yet."

    return recall_about_user
