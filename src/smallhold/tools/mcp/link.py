"""A connection that is made when it is needed, and made again when it breaks: this file holds it.

All of it runs in the background's loop. A call is sent at most once, unless its tool may be called
twice to the same effect, or it is certain that the server has not seen it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias, cast

import anyio

from smallhold.exceptions import PeerError, PeerUnavailableError, UnknownOutcomeError
from smallhold.messages import JsonObject
from smallhold.tools.mcp.background import keep_running
from smallhold.tools.mcp.pacing import Pauses
from smallhold.tools.mcp.session import Lost, Method, Session

Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[Session]]
MOST_ATTEMPTS: Final = 3
"""Connections that one request may be tried on."""

PATIENCE_S: Final = 1.0
"""Longest wait for an attempt to connect; whoever would wait for longer is told so at once."""

_log = logging.getLogger(__name__)


class _Hold:
    """One attempt to connect, and the connection that comes of it."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.settled = anyio.Event()
        """Set when there is a session, or when there will be none."""
        self.ended = anyio.Event()
        self.session: Session | None = None
        self.failure: PeerError | None = None


class Link:
    """Keeps one connection to a server."""

    def __init__(self, opener: Opener, *, server: str, connect_s: float) -> None:
        """Prepare; nothing is opened yet. To be made in the background's loop.

        Args:
            opener: Opens a connection and has a session ready when it is entered.
            server: The server's name, for errors.
            connect_s: How long opening may take.
        """
        self._opener = opener
        self._server = server
        self._connect_s = connect_s
        self._lock = anyio.Lock()
        self._hold: _Hold | None = None
        self._pauses = Pauses()
        self._problem = "its connections break"

    async def session(self) -> Session:
        """Hand out the open connection, made if there is none.

        Raises:
            PeerError: It cannot be made, or not in time.
        """
        async with self._lock:
            hold = self._hold
            if hold is not None and hold.session is not None and not hold.session.closed.is_set():
                return hold.session
            if hold is not None:
                await self._release(hold)
            await self._pause()
            return await self._connected()

    async def ask(
        self,
        method: Method,
        params: JsonObject,
        *,
        action: str,
        may_repeat: bool,
        check: Callable[[], None] = lambda: None,
    ) -> JsonObject:
        """Send a request and wait for its answer, on a new connection if the old one is gone.

        Args:
            method: What is asked.
            params: With what.
            action: What that is, for errors.
            may_repeat: Whether the server may get it twice.
            check: Called before the request is sent, on a connection that is open; may refuse it.

        Raises:
            PeerUnavailableError: There is no connection; the server has not seen the request.
            UnknownOutcomeError: The connection ended after the request was sent.
            PeerError: The server refused, or broke its contract.
        """
        problem = "it closes every connection"
        for _ in range(MOST_ATTEMPTS):
            session = await self.session()
            check()
            answer = await session.ask(method, params)
            if not isinstance(answer, Lost):
                return answer
            problem = answer.problem
            _log.info("mcp.request_lost", extra={"server": self._server, "sent": answer.was_sent})
            if answer.was_sent and not may_repeat:
                raise UnknownOutcomeError(peer=self._server, action=action, problem=problem)
            await self._give_up(session)
        raise PeerUnavailableError(peer=self._server, problem=problem)

    async def aclose(self) -> None:
        """Close the connection; a later request opens another."""
        async with self._lock:
            if self._hold is not None:
                await self._release(self._hold)
            self._pauses = Pauses()

    async def _pause(self) -> None:
        """Wait a moment before a further attempt; refuse at once where that is not yet due."""
        wait_s = self._pauses.wait_s(now_s=anyio.current_time())
        if wait_s > PATIENCE_S:
            problem = f"{self._problem}; it is tried again in {wait_s:.0f} s"
            raise PeerUnavailableError(peer=self._server, problem=problem)
        await anyio.sleep(wait_s)

    async def _give_up(self, session: Session) -> None:
        """Close the connection that a request was lost on, unless another has done so."""
        async with self._lock:
            if self._hold is not None and self._hold.session is session:
                await self._release(self._hold)

    async def _release(self, hold: _Hold) -> None:
        hold.scope.cancel()
        await hold.ended.wait()
        if self._hold is hold:
            self._hold = None

    async def _connected(self) -> Session:
        hold = self._hold = _Hold()
        keep_running(lambda: self._keep(hold), name="smallhold-mcp-connection")
        try:
            await hold.settled.wait()
        except anyio.get_cancelled_exc_class():
            hold.scope.cancel()
            raise
        if hold.session is None:
            self._hold = None
            raise hold.failure or PeerUnavailableError(peer=self._server, problem="no connection")
        return hold.session

    async def _keep(self, hold: _Hold) -> None:
        """Open a connection and hold it until it ends or is released."""
        clock = anyio.current_time
        opened_s: float | None = None
        try:
            with hold.scope:
                hold.scope.deadline = clock() + self._connect_s
                async with self._opener() as session:
                    hold.scope.deadline = math.inf
                    opened_s = clock()
                    hold.session = session
                    hold.settled.set()
                    _log.info("mcp.connected", extra={"server": self._server})
                    await session.closed.wait()
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the connection
            hold.failure = self._failure(error)
        finally:
            if opened_s is None or not hold.scope.cancel_called:
                held_s = 0.0 if opened_s is None else clock() - opened_s
                self._pauses = self._pauses.failed(now_s=clock(), held_s=held_s)
            if hold.failure is None and opened_s is None:
                problem = f"it was not ready within {self._connect_s:g} s"
                hold.failure = PeerUnavailableError(peer=self._server, problem=problem)
            if isinstance(hold.failure, PeerUnavailableError):
                self._problem = hold.failure.problem
            hold.settled.set()
            hold.ended.set()
            _log.info("mcp.disconnected", extra={"server": self._server})

    def _failure(self, error: Exception) -> PeerError:
        found = _peer_error(error)
        if found is not None:
            return found
        _log.debug("mcp.connecting_failed", exc_info=error)
        return PeerUnavailableError(peer=self._server, problem=type(error).__name__)


def _peer_error(error: BaseException) -> PeerError | None:
    """Find an error of ours in the groups that task groups make of it."""
    if isinstance(error, PeerError):
        return error
    if isinstance(error, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", error)
        return next(filter(None, map(_peer_error, inner.exceptions)), None)
    return None
