"""Serving over HTTP: this file holds the run of an ASGI application by uvicorn."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Collection
from typing import Final

import uvicorn

from smallhold.exceptions import ConfigError
from smallhold.tools.serving.access import Access
from smallhold.tools.serving.gate import Application, Gate

GRACE_S: Final = 3
"""How long running requests may take to end when the server stops."""
_MOST_CONNECTIONS: Final = 256
"""More than a small model can answer in an hour, and an end for a flood."""

_log = logging.getLogger(__name__)


def listening_socket(access: Access) -> socket.socket:
    """Take the address that a server listens on.

    Raises:
        ConfigError: It is in use, or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((access.host.strip("[]"), access.port))
    except OSError as error:
        taken.close()
        raise ConfigError(
            field="host and port",
            value=f"{access.host}:{access.port}",
            remedy=f"listening there failed ({error.strerror or error}); choose another port",
        ) from error
    return taken


def url_of(taken: socket.socket, *, path: str) -> str:
    """Write the address of a server on a socket, for people and clients."""
    host, port = taken.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{path}"


async def serve_on(
    taken: socket.socket,
    application: Application,
    *,
    access: Access,
    open_paths: Collection[str] = (),
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until the process is interrupted or the task is cancelled.

    Args:
        taken: As `listening_socket` gives it; closed afterwards.
        application: What answers requests.
        access: Who may send them.
        open_paths: What may be read without a token.
        on_ready: Called once requests are accepted.
    """
    config = uvicorn.Config(
        Gate(application, access=access, open_paths=open_paths),
        # Its access log would hold addresses of clients; its own set-up would replace ours.
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=_MOST_CONNECTIONS,
        lifespan="on",
        ws="none",
    )
    server = _Server(config, on_ready=on_ready)
    _log.info("serving.started", extra={"host": access.host})
    try:
        await server.serve(sockets=[taken])
    finally:
        taken.close()
    _log.info("serving.ended", extra={"host": access.host})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()
