"""The door of a server of ours: this file holds the ASGI layer that turns strangers away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from smallhold.tools.serving.access import Access, Verdict, judge

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""Longest request: 40 times the longest message that an agent takes."""

_UNAUTHENTICATED: Final = 401
_LONGEST_NUMBER: Final = 19
"""Digits of the largest number of bytes that a 64-bit machine has."""
_REFUSALS: Final = MappingProxyType({
    Verdict.WRONG_HOST: (421, b"this server is not known by that name"),
    Verdict.WRONG_ORIGIN: (403, b"pages of that site may not use this server"),
    Verdict.UNAUTHENTICATED: (_UNAUTHENTICATED, b"send the token as `Authorization: Bearer TOKEN`"),
})


class Gate:
    """Lets a request through to an application if its headers allow it and it is not too long."""

    def __init__(
        self, application: Application, *, access: Access, open_paths: Collection[str] = ()
    ) -> None:
        """Stand before an application.

        Args:
            application: What answers requests that may pass.
            access: The rules.
            open_paths: What may be read without a token.
        """
        self._application = application
        self._access = access
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI 3 has it. Source: the ASGI specification, "HTTP"."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = _headers(scope)
        verdict = judge(
            self._access,
            host=headers.get("host"),
            origin=headers.get("origin"),
            authorization=headers.get("authorization"),
        )
        if verdict is Verdict.UNAUTHENTICATED and self._is_open(scope):
            verdict = Verdict.ALLOWED
        if verdict is not Verdict.ALLOWED:
            await _refuse(send, *_REFUSALS[verdict])
        elif _length(headers) > REQUEST_LIMIT_BYTES:
            await _refuse(send, 413, b"the request is too long")
        else:
            await self._application(scope, _limited(receive), send)

    def _is_open(self, scope: Scope) -> bool:
        return scope["method"] in {"GET", "HEAD"} and scope["path"] in self._open_paths


def _limited(receive: Receive) -> Receive:
    """End a request that goes on for longer than allowed, as if its sender had hung up."""
    seen_bytes = 0

    async def limited() -> Message:
        nonlocal seen_bytes
        message = await receive()
        seen_bytes += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen_bytes > REQUEST_LIMIT_BYTES else message

    return limited


def _headers(scope: Scope) -> dict[str, str]:
    """Read headers by lower-case name; one that comes twice is taken as a whole, so refused."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    is_number = text.isdecimal() and text.isascii() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else 0


async def _refuse(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    if status == _UNAUTHENTICATED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
