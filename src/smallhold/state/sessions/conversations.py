"""Messages as they are stored: this file holds conversations in JSON, whole or as a change.

A change keeps the first so many messages and replaces the rest, so that one form serves for turns
that add to a conversation, for a compaction that changes its beginning and for a conversation that
is written whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall


class StoredCall(BaseModel):
    """A model's call in JSON."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: str
    name: str
    arguments: dict[str, Any]
    raw: str | None = None

    @classmethod
    def of(cls, call: ToolCall) -> StoredCall:
        """Make it of the plain value."""
        return cls(id=call.id, name=call.name, arguments=call.arguments, raw=call.raw_arguments)

    def call(self) -> ToolCall:
        """Make the plain value."""
        return ToolCall(
            id=self.id, name=self.name, arguments=self.arguments, raw_arguments=self.raw
        )


class StoredMessage(BaseModel):
    """A message in JSON; what is empty is left out."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    role: Annotated[Role, Field(strict=False)]
    content: str
    calls: list[StoredCall] = []
    call_id: str | None = None

    @classmethod
    def of(cls, message: Message) -> StoredMessage:
        """Make it of the plain value."""
        return cls(
            role=message.role,
            content=message.content,
            calls=[StoredCall.of(call) for call in message.tool_calls],
            call_id=message.tool_call_id,
        )

    def message(self) -> Message:
        """Make the plain value."""
        return Message(
            role=self.role,
            content=self.content,
            tool_calls=tuple(call.call() for call in self.calls),
            tool_call_id=self.call_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a conversation."""

    keep: int
    """How many of its first messages stay."""
    then: tuple[Message, ...]
    """What follows them."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing needs to be known of the conversation before."""
        return self.keep == 0

    def applied(self, conversation: Sequence[Message]) -> tuple[Message, ...]:
        """Give the conversation afterwards.

        Raises:
            ValueError: it keeps more messages than there are.
        """
        if self.keep > len(conversation):
            msg = f"it keeps {self.keep} of {len(conversation)} messages"
            raise ValueError(msg)
        return (*conversation[: self.keep], *self.then)

    def to_json(self) -> JsonObject:
        """Write it."""
        return written(StoredChange.of(self))


class StoredChange(BaseModel):
    """A change in JSON."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    keep: int = Field(ge=0)
    then: list[StoredMessage]

    @classmethod
    def of(cls, change: Change) -> StoredChange:
        """Make it of the plain value."""
        return cls(keep=change.keep, then=[StoredMessage.of(one) for one in change.then])

    def change(self) -> Change:
        """Make the plain value."""
        return Change(keep=self.keep, then=tuple(one.message() for one in self.then))


def change_between(before: Sequence[Message], after: Sequence[Message]) -> Change:
    """Find the change that turns one conversation into another, as short as it can be."""
    keep = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        keep += 1
    return Change(keep=keep, then=tuple(after[keep:]))


def read_change(value: JsonValue) -> Change:
    """Read a change.

    Raises:
        ValueError: it is none. The message names what is wrong and shows no content.
    """
    try:
        return StoredChange.model_validate(value).change()
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error


def written(stored: BaseModel) -> JsonObject:
    """Write a stored value as JSON, without what is as it usually is."""
    return cast("JsonObject", stored.model_dump(mode="json", exclude_defaults=True))


def message_json(message: Message) -> JsonObject:
    """Write a message."""
    return written(StoredMessage.of(message))


def read_message(value: JsonValue) -> Message:
    """Read a message. Raises `ValueError` where it is none."""
    try:
        return StoredMessage.model_validate(value).message()
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error


def first_problem(error: ValidationError) -> str:
    """Say where and what, without the stored value itself: it may be a person's data."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in cast("tuple[object, ...]", found["loc"])) or "the value"
    return f"{place}: {found['msg']}"
