"""Promises of `smallhold.tools.serving.gate`: this file holds tests of the door of a server."""

from __future__ import annotations

import pytest

from smallhold.tools.serving.access import Access
from smallhold.tools.serving.gate import REQUEST_LIMIT_BYTES, Gate, Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio
SHARED_WORD = "a-token-of-many-characters"
HOST = (b"host", b"localhost:80")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message["body"])
        if not message.get("more_body"):
            break
    status = 200 if message["type"] == "http.request" else 499
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['path']} {size}".encode()})


async def ask(
    gate: Gate,
    *headers: tuple[bytes, bytes],
    path: str = "/",
    method: str = "POST",
    bodies: tuple[bytes, ...] = (b"hi",),
) -> tuple[int, dict[bytes, bytes]]:
    waiting = [
        {"type": "http.request", "body": body, "more_body": number < len(bodies) - 1}
        for number, body in enumerate(bodies)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": list(headers)}
    await gate(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


async def test_a_request_that_may_pass_reaches_the_application() -> None:
    assert (await ask(Gate(echo, access=Access()), HOST))[0] == 200


async def test_strangers_are_told_apart_by_their_status() -> None:
    gate = Gate(echo, access=Access(token=SHARED_WORD))
    assert (await ask(gate, (b"host", b"evil.example")))[0] == 421
    assert (await ask(gate, HOST, (b"origin", b"https://evil.example")))[0] == 403
    status, headers = await ask(gate, HOST)
    assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")
    assert (await ask(gate, HOST, (b"authorization", f"Bearer {SHARED_WORD}".encode())))[0] == 200


async def test_two_names_in_one_request_are_refused() -> None:
    assert (await ask(Gate(echo, access=Access()), HOST, HOST))[0] == 421


async def test_an_open_path_can_be_read_without_a_token_and_not_written() -> None:
    gate = Gate(echo, access=Access(token=SHARED_WORD), open_paths=("/card",))
    assert (await ask(gate, HOST, path="/card", method="GET"))[0] == 200
    assert (await ask(gate, HOST, path="/card", method="POST"))[0] == 401
    assert (await ask(gate, (b"host", b"evil"), path="/card", method="GET"))[0] == 421


async def test_a_request_that_says_it_is_too_long_is_refused() -> None:
    long = (b"content-length", str(REQUEST_LIMIT_BYTES + 1).encode())
    assert (await ask(Gate(echo, access=Access()), HOST, long))[0] == 413


async def test_a_request_that_turns_out_too_long_ends_as_if_its_sender_had_hung_up() -> None:
    half = b"x" * (REQUEST_LIMIT_BYTES // 2 + 1)
    status, _ = await ask(Gate(echo, access=Access()), HOST, bodies=(half, half, half))
    assert status == 499


async def test_a_websocket_is_closed() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Gate(echo, access=Access())({"type": "websocket", "headers": []}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
