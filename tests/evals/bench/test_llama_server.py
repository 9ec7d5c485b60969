"""Promises of `smallhold.evals.bench.llama_server`: this file holds tests of its client.

A small server of our own speaks the part of llama.cpp's HTTP that the client reads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from smallhold.evals.bench.llama_server import LlamaServer, choice_grammar
from smallhold.evals.bench.peers import LLAMA_SERVER, PeerProcess, PeerScript, PeerSettings
from smallhold.evals.bench.prompts import prompt_of
from smallhold.evals.bench.rendering import renderer_for
from smallhold.exceptions import ModelOutputError
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Prompt,
    ScoreRequest,
)
from smallhold.messages import JsonObject

pytestmark = pytest.mark.anyio

PROMPT = prompt_of("Be brief.", "Hello")
LAST: JsonObject = {
    "content": "",
    "stop": True,
    "tokens_predicted": 2,
    "timings": {"cache_n": 7, "prompt_n": 3},
}
STREAM: list[JsonObject] = [{"content": "Good", "stop": False}, {"content": " day"}, LAST]


class Handler(BaseHTTPRequestHandler):
    events: ClassVar[list[JsonObject]] = []
    status: ClassVar[int] = 200
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        type(self).asked.append(json.loads(self.rfile.read(size)))
        self.send_response(self.status)
        self.end_headers()
        for event in self.events:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@contextmanager
def server(events: list[JsonObject], *, status: int = 200) -> Generator[str]:
    Handler.events, Handler.status, Handler.asked = events, status, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def text_of(prompt: Prompt) -> str:
    return " ".join(message.content for message in prompt.messages)


@pytest.fixture
def client_of(tmp_path: Path) -> Callable[[str], LlamaServer]:
    def make(address: str) -> LlamaServer:
        source = f'import sys\nprint(\'{{"address": "{address}"}}\', flush=True)\nsys.stdin.read()'
        (tmp_path / "peer.py").write_text(source, "utf-8")
        settings = PeerSettings(model="m", threads=1, context_tokens=512)
        script = PeerScript(name="llama-server", file="peer.py", module="json")
        return LlamaServer(PeerProcess(script, settings, scripts=tmp_path), render=text_of)

    return make


async def test_a_stream_is_read_to_its_end(client_of: Callable[[str], LlamaServer]) -> None:
    with server(STREAM) as address:
        client = client_of(address)
        await client.start()
        answer = await client.answer(GenerationRequest(prompt=PROMPT, max_tokens=5))
        await client.stop()
    assert answer.text == "Good day"
    assert len(answer.arrivals_s) == 2
    assert (answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens) == (10, 7, 2)
    assert answer.passes is None


async def test_requests_are_greedy_and_use_the_prompt_cache(
    client_of: Callable[[str], LlamaServer],
) -> None:
    schema: JsonObject = {"type": "integer"}
    constraint = JsonSchemaConstraint(schema=schema)
    with server(STREAM) as address:
        client = client_of(address)
        await client.start()
        await client.answer(GenerationRequest(prompt=PROMPT, max_tokens=5, constraint=constraint))
        await client.choose(ScoreRequest(prompt=PROMPT, choices=("a", "b")))
        await client.stop()
    first, second = Handler.asked
    assert first["prompt"] == "Be brief. Hello"
    assert first["temperature"] == 0.0
    assert first["cache_prompt"] is True
    assert first["json_schema"] == schema
    assert second["grammar"] == 'root ::= "a" | "b"'


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([{"error": "context"}], 400),
        ([{"content": "cut", "stop": False}], 200),
        ([{"error": {"message": "slot"}}], 200),
        ([{"content": "", "stop": True}], 200),
    ],
)
async def test_a_server_that_fails_is_an_error(
    client_of: Callable[[str], LlamaServer], events: list[JsonObject], status: int
) -> None:
    with server(events, status=status) as address:
        client = client_of(address)
        await client.start()
        with pytest.raises(ModelOutputError, match="llama-server"):
            await client.answer(GenerationRequest(prompt=PROMPT))
        await client.stop()


async def test_a_lark_grammar_is_refused(client_of: Callable[[str], LlamaServer]) -> None:
    request = GenerationRequest(prompt=PROMPT, constraint=LarkConstraint(grammar='start: "a"'))
    with pytest.raises(ModelOutputError, match="Lark"):
        await client_of("http://127.0.0.1:1").answer(request)


def test_a_choice_is_written_with_escapes() -> None:
    assert choice_grammar(('say "hi"', "b")) == 'root ::= "say \\"hi\\"" | "b"'


async def test_the_real_server_answers(smollm2_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    settings = PeerSettings(model=str(smollm2_path), threads=1, context_tokens=512)
    process = PeerProcess(LLAMA_SERVER, settings)
    client = LlamaServer(process, render=renderer_for(smollm2_path))
    try:
        await client.start()
        answer = await client.answer(GenerationRequest(prompt=PROMPT, max_tokens=3))
        choice = await client.choose(ScoreRequest(prompt=PROMPT, choices=("red", "blue")))
    finally:
        await client.stop()
    assert answer.text
    assert answer.completion_tokens == 3
    assert choice.text in {"red", "blue"}
    assert choice.cached_tokens > 0
