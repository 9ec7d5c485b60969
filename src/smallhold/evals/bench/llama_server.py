"""llama.cpp's HTTP server as a contestant: this file holds its client.

`http.client` in a thread for each request: of what the standard library has, it costs the least
time on the cores that the server needs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.peers import PeerProcess
from smallhold.evals.bench.rendering import Render
from smallhold.exceptions import ModelOutputError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint, ScoreRequest
from smallhold.messages import JsonObject

_GREEDY: Final[JsonObject] = {"temperature": 0.0, "top_k": 1, "samplers": ["top_k"]}
"""Arg-max at the least cost: without the other samplers' work on 150,000 candidates."""
_TIMEOUT_S: Final = 600.0
_REQUESTS: Final = 64
_HTTP_OK: Final = 200
_LABEL_TOKENS: Final = 32
_DATA: Final = b"data: "


class LlamaServer:
    """llama-server in a process of its own, asked over loopback HTTP."""

    def __init__(self, process: PeerProcess, *, render: Render) -> None:
        self._process = process
        self._render = render
        self._address = ""
        self._limiter: anyio.CapacityLimiter | None = None

    async def start(self) -> None:
        """Start the server and wait until it has loaded the model."""
        ready = await self._process.start()
        self._address = urlsplit(str(ready["address"])).netloc
        self._limiter = anyio.CapacityLimiter(_REQUESTS)

    async def answer(self, request: GenerationRequest) -> Answer:
        """Stream one answer of `/completion`."""
        body = completion_body(self._render(request.prompt), max_tokens=request.max_tokens)
        match request.constraint:
            case None:
                pass
            case JsonSchemaConstraint(schema=schema):
                body["json_schema"] = schema
            case _:
                raise self._failure(problem="a Lark grammar cannot be asked of it")
        return await self._complete(body)

    async def choose(self, request: ScoreRequest) -> Answer:
        """Decode one of the choices under the server's own grammar."""
        body = completion_body(self._render(request.prompt), max_tokens=_LABEL_TOKENS)
        body["grammar"] = choice_grammar(request.choices)
        return await self._complete(body)

    async def stop(self) -> None:
        """End the server."""
        await self._process.stop()

    async def _complete(self, body: JsonObject) -> Answer:
        return await anyio.to_thread.run_sync(self._post, body, limiter=self._limiter)

    def _post(self, body: JsonObject) -> Answer:
        sent_s = time.monotonic()
        connection = HTTPConnection(self._address, timeout=_TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/completion", json.dumps(body), headers)
            with connection.getresponse() as response:
                if response.status != _HTTP_OK:
                    raise self._failure(
                        problem=f"status {response.status}: {response.read()[:300]!r}"
                    )
                return read_answer(response, sent_s=sent_s)
        except (OSError, EOFError, HTTPException, ValueError, LookupError) as error:
            raise self._failure(problem=f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def _failure(self, *, problem: str) -> ModelOutputError:
        return ModelOutputError(runtime=self._process.name, problem=problem)


def completion_body(prompt: str, *, max_tokens: int) -> JsonObject:
    """Ask for a greedy, streamed completion with the server's prompt cache."""
    asked: JsonObject = {
        "prompt": prompt,
        "n_predict": max_tokens,
        "cache_prompt": True,
        "stream": True,
    }
    return asked | _GREEDY


def choice_grammar(choices: tuple[str, ...]) -> str:
    """Write a choice in llama.cpp's grammar language, whose strings are JSON's."""
    return f"root ::= {' | '.join(json.dumps(choice) for choice in choices)}"


def read_answer(response: HTTPResponse, *, sent_s: float) -> Answer:
    """Read a stream of server-sent events to its end.

    Raises:
        ValueError: an event is not JSON, or says that the server failed.
        EOFError: the stream ends without the last event.
        LookupError: the last event does not say what was computed.
    """
    pieces: list[str] = []
    arrivals_s: list[float] = []
    for event in _events(response):
        if event.get("content"):
            arrivals_s.append(time.monotonic() - sent_s)
            pieces.append(event["content"])
        if event.get("stop"):
            timings = event["timings"]
            return Answer(
                text="".join(pieces),
                prompt_tokens=timings["cache_n"] + timings["prompt_n"],
                cached_tokens=timings["cache_n"],
                completion_tokens=event["tokens_predicted"],
                arrivals_s=tuple(arrivals_s),
                total_s=time.monotonic() - sent_s,
            )
        if "error" in event:
            raise ValueError(event["error"])
    raise EOFError


def _events(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    while line := response.readline():
        if line.startswith(_DATA):
            yield json.loads(line[len(_DATA) :])
