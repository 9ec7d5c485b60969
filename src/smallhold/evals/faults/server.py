"""A case over HTTP, for frameworks that only speak to servers: this file holds its server.

It listens on the loopback interface. `/v1/chat/completions` is the model; `POST /tools/NAME` lets a
tool act, so that side effects are noted here and not in the framework's own process.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, cast

from smallhold.evals.faults import wire
from smallhold.evals.faults.stage import ModelRefusesError, Stage
from smallhold.exceptions import ContextOverflowError
from smallhold.messages import JsonObject

HOST: Final = "127.0.0.1"
CHAT_PATH: Final = "/v1/chat/completions"
TOOLS_PATH: Final = "/tools/"
_WRITE_BYTES: Final = 7
"""Streams are sent in pieces of this size, so that characters come in halves."""


@contextmanager
def served(stage: Stage) -> Generator[str]:
    """Serve a stage while the block runs, and hand out the address, without a path."""

    class Handler(_Handler):
        pass

    Handler.stage = stage
    server = _Server((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        stage.close()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone, as one does whose time was up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType] - handed on as it came


class _Handler(BaseHTTPRequestHandler):
    stage: Stage
    protocol_version = "HTTP/1.1"
    timeout = 30.0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = cast("JsonObject", json.loads(body))
        if self.path == CHAT_PATH:
            self._chat(request)
        elif self.path.startswith(TOOLS_PATH):
            self._act(self.path.removeprefix(TOOLS_PATH), request)
        else:
            self._send(HTTPStatus.NOT_FOUND, {})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _chat(self, request: JsonObject) -> None:
        tools = wire.read_tools(request)
        try:
            reply = self.stage.reply(wire.read_lines(request), tools=tools)
        except ContextOverflowError as error:
            problem = wire.failure(str(error), code="context_length_exceeded")
            self._send(HTTPStatus.BAD_REQUEST, problem)
            return
        except ModelRefusesError as error:
            self._send(HTTPStatus.BAD_REQUEST, wire.failure(str(error), code="refused"))
            return
        reply = wire.in_dialect(reply, tools=tools)
        limit, turn = wire.max_tokens(request), self.stage.model_calls
        if request.get("stream"):
            events = [
                wire.event(chunk) for chunk in wire.chunks(reply, max_tokens=limit, turn=turn)
            ]
            self._stream(b"".join(events) + b"data: [DONE]\n\n")
        else:
            self._send(HTTPStatus.OK, wire.completion(reply, max_tokens=limit, turn=turn))

    def _act(self, tool: str, arguments: JsonObject) -> None:
        try:
            answer: JsonObject = {"result": self.stage.act(tool, arguments)}
        except Exception as error:  # noqa: BLE001 - raised again on the other side
            answer = {"raised": str(error)}
        self._send(HTTPStatus.OK, answer)

    def _send(self, status: HTTPStatus, value: JsonObject) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self._open(status, content_type="application/json", length_bytes=len(body))
        self._write(body)

    def _stream(self, body: bytes) -> None:
        self._open(HTTPStatus.OK, content_type="text/event-stream", length_bytes=len(body))
        for start in range(0, len(body), _WRITE_BYTES):
            self._write(body[start : start + _WRITE_BYTES])

    def _open(self, status: HTTPStatus, *, content_type: str, length_bytes: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length_bytes))
        self.end_headers()

    def _write(self, piece: bytes) -> None:
        try:
            self.wfile.write(piece)
        except OSError:
            # Whoever asked has gone, as after a time limit.
            self.close_connection = True
