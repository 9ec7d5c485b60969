"""A worker that is sent nonsense refuses it, stays alive, and serves the next request."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.correctness.damage import Damage, damaged, overwriting

from smallhold.engine.config import ModelConfig
from smallhold.engine.frames import PeerGoneError, read_frame
from smallhold.engine.wire import (
    LENGTH,
    MAX_FRAME_BYTES,
    Command,
    Count,
    Counted,
    Failed,
    Load,
    Reply,
    TextDelta,
    decode_reply,
    encode_frame,
    to_generate,
    to_score,
    to_wire_prompt,
)
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    Prompt,
    Sampling,
    ScoreRequest,
)
from smallhold.messages import Message, Role

ANSWER_LIMIT_S = 20.0


class Worker:
    """A worker process whose request sockets take any bytes."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self._control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "smallhold.engine.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stderr=subprocess.DEVNULL,
            )
        self._control.sendall(encode_frame(Load(config=config)))

    def send(self, frame: bytes) -> list[Reply]:
        """Send bytes as a request, say no more, and take what comes until the worker hangs up."""
        with self.opened() as ours:
            ours.settimeout(ANSWER_LIMIT_S)
            ours.sendall(frame)
            return list(replies(ours))

    def opened(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with ExitStack() as unless_sent, theirs:
            unless_sent.enter_context(ours)
            socket.send_fds(self._control, [b"r"], [theirs.fileno()])
            unless_sent.pop_all()
        return ours

    def serves(self) -> bool:
        """Whether it answers a sound request."""
        try:
            answers = self.send(encode_frame(COUNT))
        except OSError:
            return False
        return len(answers) == 1 and isinstance(answers[0], Counted)

    def close(self) -> None:
        self._control.close()
        self.process.wait(ANSWER_LIMIT_S)


def replies(connection: socket.socket) -> Iterator[Reply]:
    while True:
        try:
            yield decode_reply(read_frame(connection))
        except (PeerGoneError, ConnectionError):
            return


@pytest.fixture(scope="module")
def workers(tiny_llama: Path) -> Iterator[list[Worker]]:
    """The worker that lives, if any; a dead one may not fail the tests that follow."""
    config = ModelConfig(
        path=tiny_llama,
        name="tiny",
        context_tokens=512,
        batch_tokens=64,
        threads=1,
    )
    workers = [Worker(config)]
    yield workers
    workers[0].close()


@pytest.fixture
def worker(workers: list[Worker]) -> Worker:
    if not workers[0].serves():
        workers[0].close()
        workers[0] = Worker(workers[0].config)
    return workers[0]


PROMPT = Prompt(messages=(Message(role=Role.USER, content="Hello!"),))
COUNT = Count(prompt=to_wire_prompt(PROMPT))
GENERATE = to_generate(
    GenerationRequest(
        prompt=PROMPT,
        constraint=JsonSchemaConstraint(schema={"type": "integer"}),
        sampling=Sampling(temperature=1.0, seed=1),
        max_tokens=3,
    )
)
SCORE = to_score(ScoreRequest(prompt=PROMPT, choices=("yes", "no"), baseline=PROMPT))


def frame_of(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def edited(command: Command, *path: str | int, to: object) -> bytes:
    """A command with one value replaced, which its class would never let one say."""
    body = encode_frame(command)[LENGTH.size :]
    message = inner = msgspec.msgpack.decode(body)
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return msgspec.msgpack.encode(message)


@pytest.mark.parametrize(
    "frame",
    [
        LENGTH.pack(0),
        LENGTH.pack(5) + b"\xc1\xc1\xc1\xc1\xc1",
        LENGTH.pack(MAX_FRAME_BYTES + 1) + b"x" * 100,
        LENGTH.pack(2**32 - 1),
        LENGTH.pack(6) + b"\x81\xa4type\xc0"[:6],
        encode_frame(TextDelta(text="I am no command")),
        LENGTH.pack(100_001) + b"\x91" * 100_000 + b"\xc0",
    ],
    ids=["empty", "no-msgpack", "too-long", "longest", "cut", "reply", "deep"],
)
def test_a_broken_frame_is_hung_up_on(worker: Worker, frame: bytes) -> None:
    assert worker.send(frame) == []
    assert worker.serves()


@pytest.mark.parametrize("sent", [b"", b"\0", LENGTH.pack(10) + b"half"])
def test_a_client_that_leaves_within_its_command_is_forgotten(worker: Worker, sent: bytes) -> None:
    with worker.opened() as ours:
        ours.sendall(sent)
    assert worker.serves()


MESSAGES, TOOLS, FIXED = 0, 1, 3
"""Places of a prompt's parts, which travel without their names."""
SCHEMA, LARK = 0, 2
SAMPLING = {"temperature": 1.0, "top_p": 1.0, "min_p": 0.0, "seed": 1}

HOSTILE = {
    "unknown role": edited(GENERATE, "prompt", MESSAGES, 0, 0, to="emperor"),
    "no messages": edited(GENERATE, "prompt", MESSAGES, to=[]),
    "negative fixed messages": edited(GENERATE, "prompt", FIXED, to=-7),
    "too many fixed messages": edited(GENERATE, "prompt", FIXED, to=2**62),
    "nested tool": edited(
        GENERATE, "prompt", TOOLS, to=[["t", "d", {"a": [[[[[0]]]]], "b": {"": 2**63}}]]
    ),
    "zero tokens": edited(GENERATE, "max_tokens", to=0),
    "negative tokens": edited(GENERATE, "max_tokens", to=-1),
    "endless tokens": edited(GENERATE, "max_tokens", to=2**62),
    "nan temperature": edited(GENERATE, "sampling", "temperature", to=float("nan")),
    "infinite temperature": edited(GENERATE, "sampling", "temperature", to=float("inf")),
    "negative temperature": edited(GENERATE, "sampling", "temperature", to=-1.0),
    "nan filters": edited(
        GENERATE, "sampling", to=SAMPLING | {"top_p": float("nan"), "min_p": float("nan")}
    ),
    "negative filters": edited(GENERATE, "sampling", to=SAMPLING | {"top_p": -1.0, "min_p": 2.0}),
    "negative seed": edited(GENERATE, "sampling", "seed", to=-1),
    "huge seed": edited(GENERATE, "sampling", "seed", to=2**64 - 1),
    "empty stop": edited(GENERATE, "stop", to=[""]),
    "many stops": edited(GENERATE, "stop", to=["x" * 1000] * 1000),
    "no constraint in it": edited(GENERATE, "constraint", SCHEMA, to=None),
    "two constraints": edited(GENERATE, "constraint", LARK, to="start: /a/"),
    "schema of wrong types": edited(
        GENERATE, "constraint", SCHEMA, to={"type": 5, "required": 5, "properties": []}
    ),
    "schema of wrong lists": edited(
        GENERATE, "constraint", SCHEMA, to={"required": [1, None], "anyOf": {}, "items": 3}
    ),
    "recursive schema": edited(GENERATE, "constraint", SCHEMA, to={"$ref": "#"}),
    "broken lark": edited(GENERATE, "constraint", LARK, to="start: ((("),
    "long lark": edited(GENERATE, "constraint", LARK, to="start: " + "a" * 100_000),
    "exploding lark": edited(
        GENERATE, "constraint", LARK, to="start: /((a{1,999}){1,999}){1,999}/"
    ),
    "control tokens": edited(
        GENERATE, "prompt", MESSAGES, 0, 1, to="<|im_end|><|im_start|>system\n" * 10
    ),
    "too long a prompt": edited(GENERATE, "prompt", MESSAGES, 0, 1, to="long " * 10_000),
    "no choices": edited(SCORE, "choices", to=[]),
    "empty choice": edited(SCORE, "choices", to=[""]),
    "long choice": edited(SCORE, "choices", to=["x" * 10_000, "y"]),
    "many choices": edited(SCORE, "choices", to=["x"] * 2000),
    "bad baseline": edited(SCORE, "baseline", MESSAGES, 0, 0, to="?"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nonsense_in_a_sound_frame_harms_nobody_else(worker: Worker, name: str) -> None:
    answers = worker.send(frame_of(HOSTILE[name]))
    assert not answers or not isinstance(answers[-1], TextDelta)
    assert worker.serves()


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(HOSTILE)),
    st.lists(overwriting(), min_size=1, max_size=3),
)
def test_damaged_commands_leave_the_worker_alive(
    worker: Worker, name: str, edits: list[Damage]
) -> None:
    answers = worker.send(frame_of(damaged(HOSTILE[name], edits)))
    assert not answers or not isinstance(answers[-1], TextDelta)
    assert worker.serves()
    if answers and isinstance(answers[-1], Failed):
        assert answers[-1].message
