"""The protocol between an engine and its worker process: this file holds frames and messages.

A frame is a 4-byte big-endian length and that many bytes of msgpack. Each request travels on a
socket of its own, which the client makes with `socketpair` and hands over the worker's control
socket. Closing that socket is the one and only way to cancel, so a caller that dies cancels too.
"""

from __future__ import annotations

import inspect
import os
import struct
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from smallhold import exceptions
from smallhold.engine.config import ModelConfig
from smallhold.exceptions import ConfigError, SmallholdError, WorkerDiedError
from smallhold.generation import (
    Constraint,
    EmbedRequest,
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Pooling,
    Prompt,
    Sampling,
    Scheduling,
    ScoreRequest,
    ScoreScope,
)
from smallhold.messages import Message, Role, ToolCall, ToolSchema, Usage

LENGTH: Final = struct.Struct(">I")
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""A prompt of a million tokens is about 5 MB; more than this is a broken peer."""


class WireCall(msgspec.Struct, array_like=True):
    """A tool call on the wire."""

    id: str
    name: str
    arguments: dict[str, Any]


class WireMessage(msgspec.Struct, array_like=True):
    """A message on the wire."""

    role: str
    content: str
    tool_calls: list[WireCall] = []
    tool_call_id: str | None = None


class WireTool(msgspec.Struct, array_like=True):
    """A tool schema on the wire."""

    name: str
    description: str
    parameters: dict[str, Any]


class WirePrompt(msgspec.Struct, array_like=True):
    """A prompt on the wire."""

    messages: list[WireMessage]
    tools: list[WireTool]
    continuation: str
    fixed_messages: int = 0
    adapter: str | None = None


class WireConstraint(msgspec.Struct, array_like=True):
    """A constraint on the wire: exactly one of the two is set."""

    json_schema: dict[str, Any] | None = None
    closing: str = ""
    lark: str | None = None


class Load(msgspec.Struct, tag="load"):
    """First frame on the control socket: how to load the model."""

    config: ModelConfig


class Generate(msgspec.Struct, tag="generate"):
    """Ask for text."""

    prompt: WirePrompt
    constraint: WireConstraint | None
    sampling: Sampling
    max_tokens: int
    stop: list[str]
    scheduling: Scheduling


class Score(msgspec.Struct, tag="score"):
    """Ask for the log-probabilities of choices."""

    prompt: WirePrompt
    choices: list[str]
    baseline: WirePrompt | None
    scheduling: Scheduling
    scope: ScoreScope = ScoreScope.WHOLE


class Embed(msgspec.Struct, tag="embed"):
    """Ask for a prompt as a vector."""

    prompt: WirePrompt
    pooling: Pooling
    scheduling: Scheduling


class Count(msgspec.Struct, tag="count"):
    """Ask for a prompt's length in tokens."""

    prompt: WirePrompt


class Describe(msgspec.Struct, tag="describe"):
    """Ask what is loaded."""


class SetThreads(msgspec.Struct, tag="set_threads"):
    """Ask for passes with at most so many threads from now on; `None` is what was configured."""

    threads: int | None


class Canary(msgspec.Struct, tag="canary"):
    """Ask whether the worker still computes: one token, ahead of everything else."""


Command = Generate | Score | Embed | Count | Describe | SetThreads | Canary


class TextDelta(msgspec.Struct, tag="text"):
    """A piece of generated text."""

    text: str


class Finished(msgspec.Struct, tag="finished"):
    """The generation is complete."""

    finish_reason: str
    usage: Usage
    queued_s: float
    first_token_s: float
    total_s: float


class Scored(msgspec.Struct, tag="scored"):
    """The answer to `Score`."""

    log_probs: list[float]
    baseline_log_probs: list[float] | None
    token_counts: list[int]
    usage: Usage


class Embedded(msgspec.Struct, tag="embedded"):
    """The answer to `Embed`."""

    vector: list[float]
    usage: Usage


class Alive(msgspec.Struct, tag="alive"):
    """The answer to `Canary`."""

    pass_s: float


class Counted(msgspec.Struct, tag="counted"):
    """The answer to `Count`."""

    tokens: int


class Described(msgspec.Struct, tag="described"):
    """The answer to `Describe`."""

    description: str
    system_info: str
    version: str
    pid: int


class ThreadsSet(msgspec.Struct, tag="threads_set"):
    """The answer to `SetThreads`."""

    threads: int
    batch_threads: int


class Failed(msgspec.Struct, tag="failed"):
    """The request failed with an error of our tree, rebuilt on the other side."""

    kind: str
    message: str
    fields: dict[str, Any]


Reply = TextDelta | Finished | Scored | Embedded | Counted | Described | ThreadsSet | Alive | Failed


def _plain_path(value: object) -> bytes:
    if isinstance(value, Path):
        # Not every file's name is text.
        return os.fsencode(value)
    raise TypeError(type(value).__name__)


def _from_plain(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise TypeError(kind.__name__)


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain_path)
Value = TypeVar("Value")

_load_decoder = msgspec.msgpack.Decoder(Load, dec_hook=_from_plain)
_command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_reply_decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode_frame(message: msgspec.Struct) -> bytes:
    """Turn a message into length and bytes."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def decode_load(body: bytes) -> Load:
    """Read the first control frame. Raises `msgspec.DecodeError` on anything else."""
    return _decode(_load_decoder, body)


def decode_command(body: bytes) -> Command:
    """Read a request. Raises `msgspec.DecodeError` on anything else."""
    return _decode(_command_decoder, body)


def decode_reply(body: bytes) -> Reply:
    """Read a reply. Raises `msgspec.DecodeError` on anything else."""
    return _decode(_reply_decoder, body)


def _decode(decoder: msgspec.msgpack.Decoder[Value], body: bytes) -> Value:
    try:
        return decoder.decode(body)
    except (RecursionError, UnicodeDecodeError) as error:
        # msgspec leaves these two as they are; to us they are broken frames like any other.
        raise msgspec.DecodeError(type(error).__name__) from error
    except ConfigError as error:
        raise msgspec.DecodeError(str(error)) from error


def to_wire_prompt(prompt: Prompt) -> WirePrompt:
    """Flatten a prompt for the wire."""
    return WirePrompt(
        messages=[
            WireMessage(
                role=message.role,
                content=message.content,
                tool_calls=[
                    WireCall(id=call.id, name=call.name, arguments=call.arguments)
                    for call in message.tool_calls
                ],
                tool_call_id=message.tool_call_id,
            )
            for message in prompt.messages
        ],
        tools=[
            WireTool(name=tool.name, description=tool.description, parameters=tool.parameters)
            for tool in prompt.tools
        ],
        continuation=prompt.continuation,
        fixed_messages=prompt.fixed_messages,
        adapter=prompt.adapter,
    )


def from_wire_prompt(wire: WirePrompt) -> Prompt:
    """Rebuild a prompt from the wire."""
    return Prompt(
        messages=tuple(_from_wire_message(message) for message in wire.messages),
        tools=tuple(
            ToolSchema(name=tool.name, description=tool.description, parameters=tool.parameters)
            for tool in wire.tools
        ),
        continuation=wire.continuation,
        fixed_messages=wire.fixed_messages,
        adapter=wire.adapter,
    )


def _from_wire_message(wire: WireMessage) -> Message:
    return Message(
        role=Role(wire.role),
        content=wire.content,
        tool_calls=tuple(
            ToolCall(id=call.id, name=call.name, arguments=call.arguments)
            for call in wire.tool_calls
        ),
        tool_call_id=wire.tool_call_id,
    )


def to_generate(request: GenerationRequest) -> Generate:
    """Flatten a generation request for the wire."""
    return Generate(
        prompt=to_wire_prompt(request.prompt),
        constraint=_to_wire_constraint(request.constraint),
        sampling=request.sampling,
        max_tokens=request.max_tokens,
        stop=list(request.stop),
        scheduling=request.scheduling,
    )


def _to_wire_constraint(constraint: Constraint | None) -> WireConstraint | None:
    match constraint:
        case None:
            return None
        case JsonSchemaConstraint(schema=schema, closing=closing):
            return WireConstraint(json_schema=schema, closing=closing)
        case LarkConstraint(grammar=grammar):
            return WireConstraint(lark=grammar)


def from_generate(command: Generate) -> GenerationRequest:
    """Rebuild a generation request from the wire."""
    return GenerationRequest(
        prompt=from_wire_prompt(command.prompt),
        constraint=_from_wire_constraint(command.constraint),
        sampling=command.sampling,
        max_tokens=command.max_tokens,
        stop=tuple(command.stop),
        scheduling=command.scheduling,
    )


def _from_wire_constraint(wire: WireConstraint | None) -> Constraint | None:
    if wire is None:
        return None
    if wire.lark is not None:
        return LarkConstraint(grammar=wire.lark)
    return JsonSchemaConstraint(schema=wire.json_schema or {}, closing=wire.closing)


def to_score(request: ScoreRequest) -> Score:
    """Flatten a score request for the wire."""
    return Score(
        prompt=to_wire_prompt(request.prompt),
        choices=list(request.choices),
        baseline=None if request.baseline is None else to_wire_prompt(request.baseline),
        scope=request.scope,
        scheduling=request.scheduling,
    )


def from_score(command: Score) -> ScoreRequest:
    """Rebuild a score request from the wire."""
    return ScoreRequest(
        prompt=from_wire_prompt(command.prompt),
        choices=tuple(command.choices),
        baseline=None if command.baseline is None else from_wire_prompt(command.baseline),
        scope=command.scope,
        scheduling=command.scheduling,
    )


def to_embed(request: EmbedRequest) -> Embed:
    """Flatten an embedding request for the wire."""
    return Embed(
        prompt=to_wire_prompt(request.prompt),
        pooling=request.pooling,
        scheduling=request.scheduling,
    )


def from_embed(command: Embed) -> EmbedRequest:
    """Rebuild an embedding request from the wire."""
    return EmbedRequest(
        prompt=from_wire_prompt(command.prompt),
        pooling=command.pooling,
        scheduling=command.scheduling,
    )


def to_failed(error: SmallholdError) -> Failed:
    """Send an error of our tree: its class and the fields it was built from."""
    fields = {
        name: _plain(value) for name, value in vars(error).items() if not name.startswith("_")
    }
    # A file's name may hold what no UTF-8 text can.
    message = str(error).encode("utf-8", "backslashreplace").decode()
    return Failed(kind=type(error).__name__, message=message, fields=fields)


def _plain(value: object) -> object:
    """Keep what msgpack can carry; anything else becomes text, since only people read it."""
    if isinstance(value, tuple | list):
        items = cast("Sequence[object]", value)
        return [_plain(item) for item in items]
    if isinstance(value, Exception | Path):
        return _plain(str(value))
    try:
        _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return repr(value)
    return value


def from_failed(failed: Failed, *, model: str) -> SmallholdError:
    """Rebuild the worker's error, so that callers catch the class they know."""
    kind = getattr(exceptions, failed.kind, None)
    if isinstance(kind, type) and issubclass(kind, SmallholdError):
        try:
            # What a class hands on to the one it derives from is a field too, but no argument.
            taken: Collection[str] = inspect.signature(kind).parameters if failed.fields else ()
            error = kind(**{name: failed.fields[name] for name in failed.fields if name in taken})
        except (TypeError, ValueError, AttributeError, LookupError):
            pass
        else:
            # Fields that became text on the way must not change the words.
            error.args = (failed.message,)
            return error
    return WorkerDiedError(model=model, cause=f"it reported {failed.kind}: {failed.message}")
