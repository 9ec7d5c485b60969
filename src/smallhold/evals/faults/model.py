"""A model that misbehaves on purpose: this file holds what it sees and what it says.

The same model is played in process for our own runtimes, and over HTTP for other frameworks. So it
is a function of what it has read, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from smallhold.messages import JsonValue, Role


class Form(StrEnum):
    """How a model's calls reach the agent."""

    NATIVE = "native"
    """A server has parsed them, or failed to."""
    OWN_DECODER = "own_decoder"
    """The agent scores the choices and decodes under grammar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message that the model reads."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the model knows when it speaks."""

    turn: int
    """How often it has spoken since the user's last message."""
    exchange: int
    """How many messages the user had sent before the last one."""
    told: str
    """All that it has read since the user's last message, its own words left out."""
    tools: frozenset[str]
    """Names of the tools that it is offered."""
    form: Form = Form.NATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One call as the model writes it."""

    name: str
    arguments: str
    """As text, which need not be JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The model ends its work with a message to the user.

    A framework that has models answer through a tool of its own gets the answer through it.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The model writes just this text, whatever it was asked for."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """The model calls tools."""

    wishes: tuple[Wish, ...]
    text: str = ""
    """What it says beside the calls."""
    is_cut: bool = False
    """The token limit was reached inside the last call's arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """The model repeats a phrase until it is stopped."""

    phrase: str


Reply: TypeAlias = Answer | Text | Calls | Endless
Model: TypeAlias = Callable[[Sight], Reply]


def call(name: str, /, **arguments: JsonValue) -> Calls:
    """Call one tool: `call("order_status", order_id="1042")`."""
    return Calls(wishes=(wish(name, **arguments),))


def wish(name: str, /, **arguments: JsonValue) -> Wish:
    """Write one call with arguments that are JSON."""
    return Wish(name=name, arguments=json.dumps(arguments, ensure_ascii=False))


def raw_call(name: str, arguments: str, *, is_cut: bool = False) -> Calls:
    """Call one tool with arguments as the model wrote them."""
    return Calls(wishes=(Wish(name=name, arguments=arguments),), is_cut=is_cut)


def look(
    lines: Sequence[Line], *, asked: Sequence[str], tools: Iterable[str], turn: int, form: Form
) -> Sight:
    """Make out what a model sees in a prompt.

    Args:
        lines: All messages of the prompt, oldest first.
        asked: What the user says in this case, message by message.
        tools: Names of the tools on offer.
        turn: How often the model has spoken since the user's last message.
        form: How its calls reach the agent.
    """
    found = [
        (place, number)
        for place, line in enumerate(lines)
        for number, text in enumerate(asked)
        if line.role is Role.USER and text in line.text
    ]
    place, exchange = found[-1] if found else (-1, len(asked) - 1)
    # Some frameworks join what comes next to the user's message.
    joined = lines[place].text.partition(asked[exchange])[2] if found else ""
    heard = [line.text for line in lines[place + 1 :] if line.role is not Role.ASSISTANT]
    return Sight(
        turn=turn,
        exchange=exchange,
        told="\n".join([joined, *heard]),
        tools=frozenset(tools),
        form=form,
    )


def when_told(replies: Mapping[str, Reply], *, otherwise: Reply | Model) -> Model:
    """Let the model react: the first phrase that it was told decides what it says.

    A weak model repairs what it is told by name, and repeats itself after an opaque message.

    Args:
        replies: What it says once it has read a phrase, in any case; first ones first.
        otherwise: What it says before, again and again.
    """

    def react(sight: Sight) -> Reply:
        told = sight.told.casefold()
        found = (reply for phrase, reply in replies.items() if phrase.casefold() in told)
        reply = next(found, None)
        if reply is not None:
            return reply
        return otherwise(sight) if callable(otherwise) else otherwise

    return react


def for_ever(*replies: Reply) -> Model:
    """Let the model say these things in turn, and then all over again."""
    return lambda sight: replies[sight.turn % len(replies)]


def in_turn(*replies: Reply) -> Model:
    """Let the model say these things in turn, and the last one for ever."""
    return lambda sight: replies[min(sight.turn, len(replies) - 1)]


def by_form(*, native: Model, own_decoder: Model) -> Model:
    """Let the model behave otherwise where a grammar holds it."""

    def speak(sight: Sight) -> Reply:
        return native(sight) if sight.form is Form.NATIVE else own_decoder(sight)

    return speak


def by_exchange(*models: Model) -> Model:
    """Let the model behave otherwise for each message of the user."""
    return lambda sight: models[min(sight.exchange, len(models) - 1)](sight)
