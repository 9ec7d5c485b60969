"""Promises of `smallhold.tools.mcp.link`: this file holds tests of connecting again."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from smallhold.exceptions import (
    PeerChangedError,
    PeerRefusalError,
    PeerUnavailableError,
    UnknownOutcomeError,
)
from smallhold.messages import JsonObject
from smallhold.tools.mcp.background import in_background
from smallhold.tools.mcp.link import MOST_ATTEMPTS, Link
from smallhold.tools.mcp.session import Answer, Lost, Method

pytestmark = pytest.mark.anyio
DONE: JsonObject = {"done": True}
UNSENT = Lost(problem="gone", was_sent=False)
SENT = Lost(problem="gone", was_sent=True)


@dataclass
class ScriptedSession:
    """A connection that gives one answer after another; conforms to `Session`."""

    answers: list[Answer | Exception]
    closed: anyio.Event = field(default_factory=anyio.Event)
    methods: frozenset[Method] = frozenset(Method)
    instructions: str = ""

    async def ask(self, method: Method, params: JsonObject) -> Answer:
        del method, params
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Lost):
            self.closed.set()
        return answer


@dataclass
class Door:
    """Opens the sessions of a script, one for each connection."""

    sessions: list[Sequence[Answer | Exception] | Exception]
    opened: int = 0
    closed: int = 0
    latest: ScriptedSession | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[ScriptedSession]:
        script = self.sessions[min(self.opened, len(self.sessions) - 1)]
        self.opened += 1
        if isinstance(script, Exception):
            raise script
        self.latest = ScriptedSession(list(script))
        try:
            yield self.latest
        finally:
            self.closed += 1


async def with_link(
    door: Door, work: Callable[[Link], Awaitable[object]], *, connect_s: float = 5.0
) -> object:
    async def run() -> object:
        link = Link(door.open, server="shop", connect_s=connect_s)
        try:
            return await work(link)
        finally:
            await link.aclose()

    return await in_background(run)


async def ask(link: Link, *, may_repeat: bool = False) -> JsonObject:
    return await link.ask(Method.CALL_TOOL, {}, action="`pay`", may_repeat=may_repeat)


async def test_a_connection_is_made_once_and_closed_in_the_end() -> None:
    door = Door([[DONE, DONE]])

    async def twice(link: Link) -> list[JsonObject]:
        return [await ask(link), await ask(link)]

    assert await with_link(door, twice) == [DONE, DONE]
    assert (door.opened, door.closed) == (1, 1)


async def test_requests_at_the_same_time_share_one_connection() -> None:
    door = Door([[DONE] * 5])

    async def together(link: Link) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask, link)

    await with_link(door, together)
    assert door.opened == 1


async def test_what_the_server_has_not_seen_is_sent_again() -> None:
    door = Door([[UNSENT], [DONE]])
    assert await with_link(door, ask) == DONE
    assert door.opened == 2


async def test_what_may_have_been_done_is_not_sent_again() -> None:
    door = Door([[SENT], [DONE]])
    with pytest.raises(UnknownOutcomeError, match="`pay`"):
        await with_link(door, ask)
    assert door.opened == 1


async def test_what_may_be_done_twice_is_sent_again() -> None:
    door = Door([[SENT], [DONE]])
    assert await with_link(door, lambda link: ask(link, may_repeat=True)) == DONE


async def test_a_server_that_closes_every_connection_is_given_up() -> None:
    door = Door([[UNSENT]])
    with pytest.raises(PeerUnavailableError, match="gone"):
        await with_link(door, ask)
    assert (door.opened, door.closed) == (MOST_ATTEMPTS, MOST_ATTEMPTS)


async def test_a_refusal_is_handed_on_and_the_connection_stays() -> None:
    door = Door([[PeerRefusalError(peer="shop", reason="no"), DONE]])

    async def refused_then_fine(link: Link) -> JsonObject:
        with pytest.raises(PeerRefusalError):
            await ask(link)
        return await ask(link)

    assert await with_link(door, refused_then_fine) == DONE
    assert door.opened == 1


async def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    door = Door([[DONE], [DONE]])

    async def after_a_break(link: Link) -> JsonObject:
        await ask(link)
        assert door.latest is not None
        door.latest.closed.set()
        await anyio.sleep(0.05)
        return await ask(link)

    assert await with_link(door, after_a_break) == DONE
    assert door.opened == 2


async def test_a_server_that_cannot_start_is_tried_after_a_pause() -> None:
    door = Door([PeerUnavailableError(peer="shop", problem="broken"), [DONE]])

    async def twice(link: Link) -> JsonObject:
        with pytest.raises(PeerUnavailableError, match="broken"):
            await ask(link)
        started_s = time.monotonic()
        answer = await ask(link)
        assert time.monotonic() - started_s >= 0.2
        return answer

    assert await with_link(door, twice) == DONE


async def test_a_server_that_failed_often_is_not_waited_for() -> None:
    async def often(link: Link) -> float:
        for _ in range(4):
            with pytest.raises(PeerUnavailableError):
                await ask(link)
        started_s = time.monotonic()
        with pytest.raises(PeerUnavailableError, match="broken; it is tried again in"):
            await ask(link)
        return time.monotonic() - started_s

    door = Door([PeerUnavailableError(peer="shop", problem="broken")] * 5)
    waited_s = await with_link(door, often)
    assert isinstance(waited_s, float)
    assert waited_s < 0.5
    assert door.opened == 4


async def test_an_error_that_nobody_foresaw_becomes_one_of_ours() -> None:
    with pytest.raises(PeerUnavailableError, match="ZeroDivisionError"):
        await with_link(Door([ZeroDivisionError()]), ask)


async def test_a_server_that_is_not_ready_in_time_is_given_up() -> None:
    @asynccontextmanager
    async def never() -> AsyncGenerator[ScriptedSession]:
        await anyio.sleep(60)
        yield ScriptedSession([])

    async def run() -> None:
        link = Link(never, server="shop", connect_s=0.1)
        await link.session()

    with pytest.raises(PeerUnavailableError, match="not ready within"):
        await in_background(run)


async def test_a_caller_that_gives_up_waiting_stops_the_attempt() -> None:
    ended = anyio.Event()

    @asynccontextmanager
    async def slow() -> AsyncGenerator[ScriptedSession]:
        try:
            await anyio.sleep(60)
        finally:
            ended.set()
        yield ScriptedSession([])

    async def run() -> bool:
        link = Link(slow, server="shop", connect_s=60)
        with anyio.move_on_after(0.1):
            await link.session()
        with anyio.move_on_after(2):
            await ended.wait()
        return ended.is_set()

    assert await in_background(run)


async def test_a_check_is_made_on_the_open_connection_before_anything_is_sent() -> None:
    door = Door([[DONE]])

    def refuse() -> None:
        assert door.opened == 1
        raise PeerChangedError(peer="shop", offer="pay", change="gone")

    async def checked(link: Link) -> JsonObject:
        return await link.ask(Method.CALL_TOOL, {}, action="`pay`", may_repeat=False, check=refuse)

    with pytest.raises(PeerChangedError):
        await with_link(door, checked)
    assert door.latest is not None
    assert door.latest.answers == [DONE]
