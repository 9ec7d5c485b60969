"""One fault and what is right in spite of it: this file holds the description of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from smallhold.evals.faults.model import Form, Model
from smallhold.messages import JsonObject

MOST_MODEL_CALLS: Final = 12
"""More calls of the model in one case are a loop. Twice what the longest task here needs."""
BOTH_FORMS: Final = frozenset(Form)
NATIVE_ONLY: Final = frozenset({Form.NATIVE})
"""For what a grammar makes impossible, such as arguments that are not JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What every framework is given, as far as it has a setting for it."""

    context_tokens: int = 4096
    """Longest prompt; a character counts as a quarter of a token."""
    answer_tokens: int = 512
    tool_timeout_s: float = 1.0
    time_s: float = 10.0
    """A case that takes longer is ended from outside."""
    model_calls: int = 50
    """The model refuses more, so that a loop costs no more time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A tool's code was started."""

    tool: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run of a case came to."""

    answers: tuple[str, ...] = ()
    """The text that the user got, for each message."""
    flags: tuple[str, ...] = ()
    """Doubts about the answer that came with it."""
    is_cut: bool = False
    """The result says that its text is not whole."""
    error: str | None = None
    """The exception that came out of the run."""
    has_ended: bool = True
    """The run came to an end within the time limit."""
    effects: tuple[Effect, ...] = ()
    model_calls: int = 0
    was_refused: bool = False
    """The model was asked more often than `Limits.model_calls`."""

    @property
    def answer(self) -> str:
        """The last text that the user got."""
        return self.answers[-1] if self.answers else ""


Ask: TypeAlias = Callable[[Evidence], str | None]
"""Says what is wrong with the ending, `None` if it is right."""
Audit: TypeAlias = Callable[[Sequence[Effect]], str | None]
"""Says what is wrong with the side effects, `None` if they are right."""
Behaviour: TypeAlias = Callable[[JsonObject], str]
"""What a tool returns; it may raise, or wait without end by raising `Hangs`."""


class Hangs(Exception):  # noqa: N818 - not an error but what a tool does
    """The tool never returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One message of the user."""

    text: str
    tools: Mapping[str, str]
    """Names that the model reads, and the methods of the desk that they stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCase:
    """A task, a model that spoils it, and what must hold all the same."""

    name: str
    fault: str
    """What goes wrong, in a sentence."""
    right: str
    """What the right end is, in a sentence."""
    exchanges: tuple[Exchange, ...]
    model: Model
    behaviours: Mapping[str, Behaviour]
    ends_right: Ask
    effects_right: Audit
    forms: frozenset[Form] = BOTH_FORMS
    is_streamed: bool = False
    """What was shown as it came counts as the answer."""
    limits: Limits = field(default_factory=Limits)
    most_model_calls: int = MOST_MODEL_CALLS
