"""A case under way: this file holds the stage where the model speaks and the tools act."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Final, cast

from smallhold.evals.faults.case import Effect, FaultCase, Hangs
from smallhold.evals.faults.model import Answer, Calls, Endless, Form, Line, Reply, look
from smallhold.exceptions import ContextOverflowError, RunError, ToolDefinitionError
from smallhold.messages import JsonObject, JsonValue

CHARS_PER_TOKEN: Final = 4
"""Of English text, for a model without a tokenizer. Source: the OpenAI tokenizer's help page."""

WITHOUT_TOOLS: Final = Answer(text="I could not finish this.")
"""What a model that wants to call says where it is offered no tool: no call is parsed then."""


class ModelRefusesError(RunError):
    """The model of a case was asked more often than the case allows."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        super().__init__(f"The model has spoken {limit} times in this case. Look for a loop.")


class Stage:
    """Plays a case's model and tools, and takes note. May be used from several threads."""

    def __init__(self, case: FaultCase, *, form: Form = Form.NATIVE) -> None:
        self.case = case
        self.form = form
        self.was_refused = False
        self._effects: list[Effect] = []
        self._turns: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the tools did, in order."""
        with self._lock:
            return tuple(self._effects)

    @property
    def model_calls(self) -> int:
        """How often the model spoke."""
        with self._lock:
            return self._turns.total()

    def reply(self, lines: Sequence[Line], *, tools: Sequence[str]) -> Reply:
        """Let the model speak.

        Raises:
            ModelRefusesError: it has spoken as often as it may.
            ContextOverflowError: the messages are longer than its context, counted by characters.
        """
        self._refuse_overflow(lines)
        asked = [exchange.text for exchange in self.case.exchanges]
        with self._lock:
            if self._turns.total() >= self.case.limits.model_calls:
                self.was_refused = True
                raise ModelRefusesError(limit=self.case.limits.model_calls)
            sight = look(lines, asked=asked, tools=tools, turn=0, form=self.form)
            turn = self._turns[sight.exchange]
            self._turns[sight.exchange] += 1
        reply = self.case.model(look(lines, asked=asked, tools=tools, turn=turn, form=self.form))
        is_unheard = isinstance(reply, Calls) and not tools and self.form is Form.NATIVE
        return WITHOUT_TOOLS if is_unheard else reply

    def _refuse_overflow(self, lines: Sequence[Line]) -> None:
        # The other form counts words, as `ScriptedRuntime` does, and refuses by itself.
        tokens, limit = prompt_tokens(lines), self.case.limits.context_tokens
        if self.form is Form.NATIVE and tokens >= limit:
            raise ContextOverflowError(prompt_tokens=tokens, limit_tokens=limit)

    def act(self, tool: str, arguments: Mapping[str, object]) -> str:
        """Let a tool act, and note it; raises what the tool raises."""
        noted = {name: jsonable(value) for name, value in arguments.items()}
        with self._lock:
            self._effects.append(Effect(tool=tool, arguments=noted))
        behaviour = self.case.behaviours.get(tool)
        if behaviour is None:
            raise ToolDefinitionError(
                tool=tool,
                parameter=None,
                problem="the case says nothing of what it does",
                remedy="Add it to `behaviours`.",
            )
        try:
            return behaviour(noted)
        except Hangs:
            self._closed.wait()
            raise

    def close(self) -> None:
        """Let tools that hang return, so that their threads end."""
        self._closed.set()


def jsonable(value: object) -> JsonValue:
    """Write a tool's argument as JSON, whatever type a framework has made of it."""
    if is_dataclass(value) and not isinstance(value, type):
        return jsonable(asdict(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        return {str(name): jsonable(field) for name, field in fields.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in cast("Sequence[object]", value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def prompt_tokens(lines: Sequence[Line]) -> int:
    """Count a prompt's tokens as the model of a case does."""
    return sum(len(line.text) // CHARS_PER_TOKEN + 1 for line in lines)


def spoken(reply: Reply, *, max_tokens: int) -> tuple[str, bool]:
    """Give the text of a reply, and whether the token limit ended it.

    Args:
        reply: What the model says.
        max_tokens: Most words of an endless reply.
    """
    match reply:
        case Endless(phrase=phrase):
            return phrase * max(1, max_tokens // len(phrase.split())), True
        case Calls(text=text, is_cut=is_cut):
            return text, is_cut
        case _:
            return reply.text, False


def json_object(text: str) -> JsonObject | None:
    """Read arguments as a server does; `None` where they are not a JSON object."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None
