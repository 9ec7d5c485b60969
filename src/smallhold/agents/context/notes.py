"""What stands instead of the oldest exchanges: this file holds the notes and how they are written.

Notes are an exchange like any other, so every chat template takes them. The user's message holds
what users and tools said, word for word: what is looked up there was really said. The answer holds
what the model itself wrote: its summary, its calls and its own figures, which prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallhold.agents.context.exchanges import Exchange
from smallhold.agents.context.facts import Fact, FactKind, Worth, facts_of, merged, worth_of
from smallhold.agents.context.rendering import SEPARATOR, call_text, facts_of_mark
from smallhold.messages import Message, Role

HEADING: Final = "Notes of what was said before, word for word."
"""The first line of notes. A user who writes it as well only has it read as notes later."""
NO_SUMMARY: Final = "Noted."
_USER: Final = "From me: "
_TOOLS: Final = "From tools: "
_CALLS: Final = "I called: "
_OWN: Final = "I said: "
_LISTS: Final = ("user", "calls", "tools", "own")
_RANKS: Final = (
    ("user", Worth.LASTING),
    ("user", Worth.PLAIN),
    ("calls", Worth.PLAIN),
    ("tools", Worth.LASTING),
    ("tools", Worth.PLAIN),
    ("user", Worth.LITTLE),
    ("tools", Worth.LITTLE),
)
"""What is kept first, as a list's name with its facts' worth; the model's own facts come last."""
_MAX_TOOL_FACT_WORDS: Final = 8
"""A tool's longer quotes are left out: instructions that hide in a result are not repeated in the
user's message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What is kept of the exchanges that were left out; all oldest first."""

    user: tuple[str, ...] = ()
    """Facts that the user gave."""
    calls: tuple[str, ...] = ()
    """Calls that the model made."""
    tools: tuple[str, ...] = ()
    """Facts that tools gave."""
    own: tuple[str, ...] = ()
    """Facts in the model's own answers."""
    summary: str = ""
    """The model's summary, one line."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Everything that is kept word for word, what matters most first."""
        return (*self.user, *self.calls, *self.tools, *self.own)


def notes_exchange(notes: Notes) -> Exchange:
    """Write notes as a message of the user and its answer."""
    heard = [HEADING, *_line(_USER, notes.user), *_line(_TOOLS, notes.tools)]
    written = [
        notes.summary or NO_SUMMARY,
        *_line(_CALLS, notes.calls),
        *_line(_OWN, notes.own),
    ]
    return (
        Message(role=Role.USER, content="\n".join(heard)),
        Message(role=Role.ASSISTANT, content="\n".join(written)),
    )


def read_notes(exchange: Exchange) -> Notes | None:
    """Read notes back; `None` when the exchange is another."""
    match exchange:
        case (
            Message(role=Role.USER, content=heard),
            Message(role=Role.ASSISTANT, content=written, tool_calls=()),
        ) if heard.split("\n")[0] == HEADING:
            summary = written.split("\n")[0]
            return Notes(
                user=_read(_USER, heard),
                calls=_read(_CALLS, written),
                tools=_read(_TOOLS, heard),
                own=_read(_OWN, written),
                summary="" if summary == NO_SUMMARY else summary,
            )
        case _:
            return None


def noted(notes: Notes, exchanges: Iterable[Exchange]) -> Notes:
    """Add the facts and calls of exchanges that are left out; the summary stays as it was."""
    for exchange in exchanges:
        for message in exchange:
            notes = _with_message(notes, message)
    return notes


def within(notes: Notes, *, limit_chars: int) -> tuple[Notes, tuple[str, ...]]:
    """Keep as many facts as fit, and name those that do not.

    What the user gave is kept first, names and addresses before all, then calls, then tools' facts;
    short numbers of either come after these, and the model's own figures last. Of each, the newest
    are kept first.
    """
    ranked = [
        (_rank(name, fact), -index, name, fact)
        for name in _LISTS
        for index, fact in enumerate(getattr(notes, name))
    ]
    kept: set[tuple[str, str]] = set()
    for _, _, name, fact in sorted(ranked):
        cost_chars = len(fact) + len(SEPARATOR)
        if cost_chars <= limit_chars:
            limit_chars -= cost_chars
            kept.add((name, fact))
    lists = {
        name: tuple(fact for fact in getattr(notes, name) if (name, fact) in kept)
        for name in _LISTS
    }
    lost = [fact for _, _, name, fact in ranked if (name, fact) not in kept]
    return replace(notes, **lists), tuple(lost)


def _rank(name: str, fact: str) -> int:
    match name:
        case "user" | "tools":
            return _RANKS.index((name, worth_of(fact)))
        case "calls":
            return _RANKS.index(("calls", Worth.PLAIN))
        case _:
            return len(_RANKS)


def facts_of_result(content: str) -> tuple[Fact, ...]:
    """Find the facts of a tool's result, or those that its mark kept when it was left out."""
    marked = facts_of_mark(content)
    if marked is not None:
        return tuple(Fact(kind=FactKind.PAIR, text=fact, value=fact) for fact in marked)
    return tuple(
        fact for fact in facts_of(content) if len(fact.text.split()) <= _MAX_TOOL_FACT_WORDS
    )


def _with_message(notes: Notes, message: Message) -> Notes:
    match message.role:
        case Role.USER:
            return replace(notes, user=merged(notes.user, facts_of(message.content)))
        case Role.TOOL:
            found = facts_of_result(message.content)
            return replace(notes, tools=merged(notes.tools, found, elsewhere=notes.user))
        case Role.ASSISTANT:
            calls = dict.fromkeys((*notes.calls, *map(call_text, message.tool_calls)))
            heard = (*notes.user, *notes.tools)
            own = merged(notes.own, facts_of(message.content), elsewhere=heard)
            return replace(notes, calls=tuple(calls), own=own)
        case Role.SYSTEM:
            return notes


def _line(label: str, facts: Sequence[str]) -> Iterator[str]:
    if facts:
        yield label + SEPARATOR.join(facts)


def _read(label: str, content: str) -> tuple[str, ...]:
    lines = content.split("\n")[1:]
    found = next((line for line in lines if line.startswith(label)), None)
    return () if found is None else tuple(found.removeprefix(label).split(SEPARATOR))
