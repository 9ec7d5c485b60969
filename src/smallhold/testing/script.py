"""What a scripted model says: this file holds the entries of scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallhold.exceptions import SmallholdError
from smallhold.generation import Prompt
from smallhold.messages import FinishReason, JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The model answers with text."""

    text: str
    finish_reason: FinishReason = FinishReason.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The model calls a tool."""

    name: str
    arguments: JsonObject
    is_cut: bool = False
    """The token limit was reached inside the arguments."""
    raw_arguments: str | None = None
    """What the model writes instead of arguments that are a JSON object; only without a grammar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """The model calls several tools for one message."""

    calls: tuple[Call, ...]
    """At least one."""
    text: str = ""
    """What it says before them; only where no grammar holds it to calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The runtime fails, after it has given some text."""

    error: SmallholdError
    after_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The model is silent for a while before the next entry."""

    seconds: float


Entry: TypeAlias = str | Reply | Call | Calls | Fault | Delay
Script: TypeAlias = Sequence[Entry] | Callable[[Prompt], Entry]
"""Entries in order, or a function that reacts to what the model is given to read."""


def call(name: str, /, **arguments: JsonValue) -> Call:
    """Write a tool call in a script: `call("order_status", order_id="1042")`."""
    return Call(name=name, arguments=dict(arguments))
