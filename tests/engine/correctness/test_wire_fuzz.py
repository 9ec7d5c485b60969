"""Broken frames are refused as broken frames, whatever is wrong with them."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.correctness.damage import Damage, damage, damaged

from smallhold.engine.frames import PeerGoneError, read_frame
from smallhold.engine.wire import (
    LENGTH,
    Count,
    Counted,
    Describe,
    Failed,
    Finished,
    Scored,
    TextDelta,
    decode_command,
    decode_load,
    decode_reply,
    encode_frame,
    to_generate,
    to_score,
    to_wire_prompt,
)
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Prompt,
    Sampling,
    ScoreRequest,
)
from smallhold.messages import Message, Role, ToolCall, ToolSchema, Usage

TOOL = ToolSchema(name="look", description="Looks.", parameters={"type": "object"})
CALL = ToolCall(id="1", name="look", arguments={"at": ["sea", 1, None]})
PROMPT = Prompt(
    messages=(
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.ASSISTANT, content="", tool_calls=(CALL,)),
        Message(role=Role.TOOL, content="blue", tool_call_id="1"),
    ),
    tools=(TOOL,),
    continuation="{",
    fixed_messages=1,
)
SCHEMA = JsonSchemaConstraint(schema={"type": "object"}, closing="}")
COMMANDS = [
    to_generate(GenerationRequest(prompt=PROMPT, constraint=SCHEMA, max_tokens=4, stop=(".",))),
    to_generate(GenerationRequest(prompt=PROMPT, constraint=LarkConstraint(grammar="start: /a/"))),
    to_generate(GenerationRequest(prompt=PROMPT, sampling=Sampling(temperature=0.5, seed=1))),
    to_score(ScoreRequest(prompt=PROMPT, choices=("a", "b"), baseline=PROMPT)),
    Count(prompt=to_wire_prompt(PROMPT)),
    Describe(),
]
REPLIES = [
    TextDelta(text="é"),
    Finished(finish_reason="stop", usage=Usage(), queued_s=0.0, first_token_s=0.1, total_s=0.2),
    Scored(log_probs=[-1.0], baseline_log_probs=[-2.0], token_counts=[1], usage=Usage()),
    Counted(tokens=3),
    Failed(kind="DecodeError", message="m", fields={"problem": "p"}),
]
DECODERS: list[Callable[[bytes], object]] = [decode_command, decode_reply, decode_load]


def body_of(message: msgspec.Struct) -> bytes:
    return encode_frame(message)[LENGTH.size :]


@pytest.mark.parametrize("decode", DECODERS)
@given(st.binary(max_size=200))
def test_random_bytes_are_a_broken_frame(decode: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(body)


@given(
    st.sampled_from(DECODERS),
    st.sampled_from([*COMMANDS, *REPLIES]).map(body_of),
    st.lists(damage, min_size=1, max_size=4),
)
def test_a_damaged_message_is_another_message_or_a_broken_frame(
    decode: Callable[[bytes], object], body: bytes, edits: list[Damage]
) -> None:
    try:
        message = decode(damaged(body, edits))
    except msgspec.DecodeError:
        return
    assert isinstance(message, msgspec.Struct)


@given(st.binary(max_size=64) | st.integers(0, 2**32 - 1).map(LENGTH.pack))
def test_a_stream_that_ends_is_a_frame_or_the_peer_leaving(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        ours.close()
        try:
            body = read_frame(theirs)
        except PeerGoneError:
            return
    assert LENGTH.pack(len(body)) + body == data[: LENGTH.size + len(body)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", float("nan")),
        ("temperature", -1.0),
        ("top_p", 2.0),
        ("min_p", float("inf")),
        ("seed", -1),
    ],
)
def test_a_value_out_of_its_range_is_a_broken_frame(field: str, value: float) -> None:
    command = msgspec.msgpack.decode(body_of(COMMANDS[2]))
    command["sampling"][field] = value
    with pytest.raises(msgspec.DecodeError):
        decode_command(msgspec.msgpack.encode(command))
