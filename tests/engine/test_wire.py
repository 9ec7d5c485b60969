from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold import exceptions
from smallhold.engine.config import KVType, ModelConfig, Numa
from smallhold.engine.wire import (
    LENGTH,
    Alive,
    Canary,
    Command,
    Count,
    Counted,
    Describe,
    Embed,
    Embedded,
    Failed,
    Finished,
    Generate,
    Load,
    Score,
    Scored,
    TextDelta,
    decode_command,
    decode_load,
    decode_reply,
    encode_frame,
    from_embed,
    from_failed,
    from_generate,
    from_score,
    from_wire_prompt,
    to_embed,
    to_failed,
    to_generate,
    to_score,
    to_wire_prompt,
)
from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    ModelLoadError,
    SmallholdError,
    SourcesExhaustedError,
    SourceUnavailableError,
    WorkerDiedError,
)
from smallhold.generation import (
    EmbedRequest,
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Pooling,
    Priority,
    Prompt,
    Sampling,
    Scheduling,
    ScoreRequest,
)
from smallhold.messages import Message, Role, ToolCall, ToolSchema, Usage

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(text, json_values, max_size=3)
calls = st.builds(ToolCall, id=text, name=text, arguments=json_objects)
messages = st.builds(
    Message,
    role=st.sampled_from(Role),
    content=text,
    tool_calls=st.lists(calls, max_size=2).map(tuple),
    tool_call_id=st.none() | text,
)
tools = st.builds(ToolSchema, name=text, description=text, parameters=json_objects)
schedulings = st.builds(
    Scheduling,
    priority=st.sampled_from(Priority),
    timeout_s=st.none() | st.floats(0.001, 1e6),
)
prompts = st.builds(
    Prompt,
    messages=st.lists(messages, max_size=3).map(tuple),
    tools=st.lists(tools, max_size=2).map(tuple),
    continuation=text,
    fixed_messages=st.integers(0, 9),
    adapter=st.none() | text,
)
constraints = (
    st.none()
    | st.builds(JsonSchemaConstraint, schema=json_objects, closing=text)
    | st.builds(LarkConstraint, grammar=text)
)
samplings = st.builds(
    Sampling,
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1, exclude_min=True),
    min_p=st.floats(0, 1),
    seed=st.none() | st.integers(0, 2**63),
)
generations = st.builds(
    GenerationRequest,
    prompt=prompts,
    constraint=constraints,
    sampling=samplings,
    max_tokens=st.integers(1, 10_000),
    stop=st.lists(text, max_size=2).map(tuple),
    scheduling=schedulings,
)
embeddings = st.builds(
    EmbedRequest, prompt=prompts, pooling=st.sampled_from(Pooling), scheduling=schedulings
)
scorings = st.builds(
    ScoreRequest,
    prompt=prompts,
    choices=st.lists(text, max_size=4).map(tuple),
    baseline=st.none() | prompts,
    scheduling=schedulings,
)


def body_of(message: msgspec.Struct) -> bytes:
    frame = encode_frame(message)
    (size,) = LENGTH.unpack(frame[: LENGTH.size])
    assert size == len(frame) - LENGTH.size
    return frame[LENGTH.size :]


@given(generations)
def test_a_generation_request_arrives_as_it_was_sent(request: GenerationRequest) -> None:
    command = decode_command(body_of(to_generate(request)))
    assert isinstance(command, Generate)
    assert from_generate(command) == request


@given(scorings)
def test_a_score_request_arrives_as_it_was_sent(request: ScoreRequest) -> None:
    command = decode_command(body_of(to_score(request)))
    assert isinstance(command, Score)
    assert from_score(command) == request


@given(prompts)
def test_a_prompt_to_count_arrives_as_it_was_sent(prompt: Prompt) -> None:
    command = decode_command(body_of(Count(prompt=to_wire_prompt(prompt))))
    assert isinstance(command, Count)
    assert from_wire_prompt(command.prompt) == prompt


@given(embeddings)
def test_an_embedding_request_arrives_as_it_was_sent(request: EmbedRequest) -> None:
    command = decode_command(body_of(to_embed(request)))
    assert isinstance(command, Embed)
    assert from_embed(command) == request


@pytest.mark.parametrize("command", [Describe(), Canary()])
def test_a_question_without_a_prompt_arrives_as_it_was_sent(command: Command) -> None:
    assert decode_command(body_of(command)) == command


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(path=Path("m.gguf"), name="m"),
        ModelConfig(
            path=Path("m.gguf"),
            name="m",
            active_tokens=9000,
            cache_bytes=0,
            threads=3,
            gpu_layers=-1,
            flash_attention=True,
            kv_type=KVType.Q8_0,
            numa=Numa.ISOLATE,
            snapshot_folder=Path("snapshots"),
            adapters={"legal": Path("legal.gguf")},
            draft_path=Path("draft.gguf"),
            hang_timeout_s=1.5,
            memory_limit_bytes=2**40,
        ),
        ModelConfig(path=Path("\udcff not text.gguf"), name="m"),
    ],
    ids=["defaults", "everything set", "a name that is no text"],
)
def test_how_to_load_a_model_arrives_as_it_was_sent(config: ModelConfig) -> None:
    assert decode_load(body_of(Load(config=config))).config == config


@pytest.mark.parametrize("change", [{"context_tokens": -1}, {"path": 7}, {"kv_type": "f15"}])
def test_settings_that_cannot_be_are_a_broken_frame(change: dict[str, object]) -> None:
    config = msgspec.to_builtins(
        ModelConfig(path=Path("m.gguf"), name="m"), enc_hook=lambda path: str(path).encode()
    )
    body = msgspec.msgpack.encode({"type": "load", "config": config | change})
    with pytest.raises(msgspec.DecodeError):
        decode_load(body)


@pytest.mark.parametrize(
    "reply",
    [
        TextDelta(text="é"),
        Finished(
            finish_reason="stop", usage=Usage(passes=3), queued_s=0.1, first_token_s=0.2, total_s=1
        ),
        Scored(log_probs=[-1.5], baseline_log_probs=None, token_counts=[2], usage=Usage()),
        Embedded(vector=[0.6, -0.8], usage=Usage()),
        Alive(pass_s=0.01),
        Counted(tokens=7),
        Failed(kind="DecodeError", message="m", fields={"problem": "p"}),
    ],
)
def test_a_reply_arrives_as_it_was_sent(reply: msgspec.Struct) -> None:
    assert decode_reply(body_of(reply)) == reply


@given(st.binary(max_size=60))
@example(b"\x81\xa1\xff\xc0")
@example(b"\x91" * 100_000 + b"\xc0")
@example(b"\x81\xa4type\xa5count\xa6prompt\xc0")
def test_garbage_is_a_broken_frame_and_nothing_worse(body: bytes) -> None:
    for decode in (decode_load, decode_command, decode_reply):
        with pytest.raises(msgspec.DecodeError):
            decode(body)


@given(cut=st.integers(0, 400), flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255))))
def test_a_damaged_command_is_read_or_refused_as_a_broken_frame(
    cut: int, flips: list[tuple[int, int]]
) -> None:
    call = ToolCall(id="1", name="f", arguments={"x": [1, {"y": None}]})
    message = Message(role=Role.ASSISTANT, content="é", tool_calls=(call,))
    request = ScoreRequest(prompt=Prompt(messages=(message,)), choices=("a", "b"))
    body = bytearray(body_of(to_score(request)))
    for place, value in flips:
        body[place % len(body)] = value
    try:
        command = decode_command(bytes(body[: max(cut, 1)]))
    except msgspec.DecodeError:
        return
    assert isinstance(command, Command)


def test_text_nested_too_deep_is_a_broken_frame() -> None:
    deep = b"\x82\xa4type\xa6failed\xa6fields\x81\xa1a" + b"\x91" * 100_000 + b"\xc0"
    with pytest.raises(msgspec.DecodeError):
        decode_reply(deep)


def error_classes() -> Iterator[type[SmallholdError]]:
    waiting = [SmallholdError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith(f"{exceptions.__name__}."):
            yield kind


SAMPLE_VALUES: dict[str, object] = {
    "str": "some text",
    "bool": True,
    "int": 1234567,
    "float": 12.5,
    "object": (1, "two", None),
    "str | None": None,
    "Sequence[str]": ("one", "two"),
    "Sequence[ModelError]": (SourceUnavailableError(source="disk", reason="no such file"),),
}
"""A value for each type that a field of an error has."""


def sample_of(kind: type[SmallholdError]) -> SmallholdError:
    annotations = dict(getattr(kind.__init__, "__annotations__", {}))
    annotations.pop("return", None)
    return kind(**{name: SAMPLE_VALUES[str(hint)] for name, hint in annotations.items()})


def test_all_branches_of_the_tree_are_looked_at() -> None:
    modules = {kind.__module__ for kind in error_classes()}
    assert len(modules) > 8


@pytest.mark.parametrize("kind", list(error_classes()), ids=lambda kind: kind.__name__)
def test_every_error_keeps_its_class_and_words(kind: type[SmallholdError]) -> None:
    error = sample_of(kind)
    reply = decode_reply(body_of(to_failed(error)))
    assert isinstance(reply, Failed)
    rebuilt = from_failed(reply, model="m")
    assert type(rebuilt) is kind
    assert str(rebuilt) == str(error)


def test_an_error_keeps_its_fields() -> None:
    error = ContextOverflowError(prompt_tokens=5000, limit_tokens=4096)
    rebuilt = from_failed(to_failed(error), model="m")
    assert vars(rebuilt) == vars(error)


def test_an_error_with_a_note_keeps_its_class() -> None:
    error = ModelLoadError(path="m.gguf", problem="no")
    error.add_note("seen twice")
    assert isinstance(from_failed(to_failed(error), model="m"), ModelLoadError)


def test_words_that_no_text_can_hold_travel_all_the_same() -> None:
    error = ModelLoadError(path="\udcff.gguf", problem="no")
    reply = decode_reply(body_of(to_failed(error)))
    assert isinstance(reply, Failed)
    assert isinstance(from_failed(reply, model="m"), ModelLoadError)
    assert "could not be loaded" in reply.message


@pytest.mark.parametrize("value", [Path("m.gguf"), 2**80, "\ud800", b"\xff", {"a": object()}])
def test_a_field_that_cannot_travel_becomes_text(value: object) -> None:
    error = ConfigError(field="f", value=value, remedy="give another")
    reply = to_failed(error)
    rebuilt = from_failed(reply, model="m")
    assert isinstance(rebuilt, ConfigError)


def test_the_failures_inside_an_error_are_kept_as_text() -> None:
    failure = SourceUnavailableError(source="disk", reason="no such file")
    error = SourcesExhaustedError(alias="m", failures=[failure])
    assert to_failed(error).fields["failures"] == ["disk: no such file"]


@pytest.mark.parametrize(
    "failed",
    [
        Failed(kind="KeyError", message="boom", fields={}),
        Failed(kind="Sequence", message="boom", fields={}),
        Failed(kind="__name__", message="boom", fields={}),
        Failed(kind="ContextOverflowError", message="boom", fields={}),
        Failed(kind="ContextOverflowError", message="boom", fields={"wrong": 1}),
        Failed(
            kind="ContextOverflowError",
            message="boom",
            fields={"prompt_tokens": "many", "limit_tokens": []},
        ),
    ],
)
def test_an_error_that_is_none_of_ours_is_reported_as_the_workers_end(failed: Failed) -> None:
    error = from_failed(failed, model="m")
    assert isinstance(error, WorkerDiedError)
    assert "boom" in str(error)
