"""What came of fitting a conversation: this file holds the account of what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smallhold.generation import Prompt
from smallhold.messages import Message, Usage


class DropKind(StrEnum):
    """What was done to a part of the conversation."""

    RESULT_CUT = "result_cut"
    """A tool's result was longer than one may be; its end was cut off."""
    RESULT_LEFT_OUT = "result_left_out"
    """An old result of a tool was replaced by a line that names it and its facts."""
    TURN_SUMMARISED = "turn_summarised"
    """An old message of the user, with all that followed from it, is now in the summary."""
    TURN_REDUCED = "turn_reduced"
    """The same without a summary: only its facts were kept."""
    FACTS = "facts"
    """Facts of earlier turns, for which their budget had no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One thing that the model does not read any more as it was."""

    kind: DropKind
    what: str
    """Its name for a person: the tool's name, how the user's message began, or the facts."""
    tokens: int
    """How many tokens of text it had, or those that were cut off it; without what the chat template
    puts around a message."""
    messages: int = 0
    """How many messages went with it; 0 where the message is still there, shortened."""
    reason: str = ""
    """Why there is no summary, where one was wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What stands at the beginning of a conversation instead of its oldest turns."""

    text: str
    """The model's own words; empty where there are only facts."""
    facts: tuple[str, ...]
    """What users and tools said, word for word, oldest first."""
    calls: tuple[str, ...]
    """The calls that were made, each as its tool's name and its arguments as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTokens:
    """How many tokens each part of a prompt takes, by the model's own tokenizer."""

    form: int
    """What the prompt's form and the chat template add by themselves."""
    instructions: int
    tools: int
    examples: int
    conversation: int
    """All the rest: the history, the user's message and what followed from it."""

    @property
    def total(self) -> int:
        """Tokens of the whole prompt."""
        return self.form + self.instructions + self.tools + self.examples + self.conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A conversation that fits, and what was left out to make it fit."""

    conversation: tuple[Message, ...]
    """To be kept as the session's own from now on. It is the very conversation that was given
    unless something was dropped."""
    prompt: Prompt
    """The prompt of this conversation, in the form that was asked for."""
    prompt_tokens: int
    """Its tokens, by the model's own tokenizer and chat template."""
    dropped: tuple[Dropped, ...] = ()
    """What was left out this time, oldest first; empty when all fitted."""
    summary: Summary | None = None
    """What stands at the conversation's beginning instead of older turns, from this time or
    earlier ones."""
    usage: Usage = field(default_factory=Usage)
    """What the model's summary cost."""
