"""llama-cpp-python's high-level API as a contestant: this file holds the client of its process."""

from __future__ import annotations

import time

import anyio

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.peers import PeerProcess
from smallhold.evals.bench.rendering import Render
from smallhold.exceptions import ModelOutputError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint, ScoreRequest
from smallhold.messages import JsonObject

_LABEL_TOKENS = 32


class LlamaCppPython:
    """`llama_cpp.Llama` in a process of its own; one request at a time, the others wait."""

    def __init__(self, process: PeerProcess, *, render: Render) -> None:
        self._process = process
        self._render = render
        self._turn: anyio.Lock | None = None

    async def start(self) -> None:
        """Start the process and wait until it has loaded the model."""
        await self._process.start()
        self._turn = anyio.Lock()

    async def answer(self, request: GenerationRequest) -> Answer:
        """Stream one answer."""
        asked: JsonObject = {"max_tokens": request.max_tokens}
        match request.constraint:
            case None:
                pass
            case JsonSchemaConstraint(schema=schema):
                asked["schema"] = schema
            case _:
                raise self._failure(problem="a Lark grammar cannot be asked of it")
        return await self._ask(asked | {"prompt": self._render(request.prompt)})

    async def choose(self, request: ScoreRequest) -> Answer:
        """Decode one of the choices under the library's own grammar."""
        asked: JsonObject = {"max_tokens": _LABEL_TOKENS, "labels": list(request.choices)}
        return await self._ask(asked | {"prompt": self._render(request.prompt)})

    async def stop(self) -> None:
        """End the process."""
        await self._process.stop()

    async def _ask(self, asked: JsonObject) -> Answer:
        sent_s = time.monotonic()
        if self._turn is None:
            raise self._failure(problem="it has not been started")
        async with self._turn:
            await self._process.send(asked)
            pieces: list[str] = []
            arrivals_s: list[float] = []
            while "done" not in (reply := await self._process.receive()):
                arrivals_s.append(time.monotonic() - sent_s)
                pieces.append(str(reply["text"]))
        done = reply["done"]
        return Answer(
            text="".join(pieces),
            prompt_tokens=done["prompt_tokens"],
            cached_tokens=done["cached_tokens"],
            completion_tokens=done["completion_tokens"],
            arrivals_s=tuple(arrivals_s),
            total_s=time.monotonic() - sent_s,
        )

    def _failure(self, *, problem: str) -> ModelOutputError:
        return ModelOutputError(runtime=self._process.name, problem=problem)
