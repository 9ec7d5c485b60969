"""An agent that runs elsewhere: this file holds its public face.

The SDK behind it is imported when a message is first sent.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from smallhold.exceptions import (
    ConfigError,
    PeerFaultError,
    PeerRefusalError,
    PeerTimeoutError,
    UnknownOutcomeError,
)
from smallhold.messages import DoneEvent, Event, JsonObject, Timing, TokenEvent, ToolSchema, Usage
from smallhold.settings import load_settings
from smallhold.tools.a2a.answers import AnswerSoFar, TaskPhase, Update
from smallhold.tools.a2a.description import AgentDescription
from smallhold.tools.a2a.settings import DEFAULT_LIMITS, A2ALimits
from smallhold.tools.definition import AnyTool, Tool, usable_name
from smallhold.tools.mcp.addresses import WebAddress, check_address, remote_host
from smallhold.tools.mcp.arguments import ForeignArguments
from smallhold.tools.mcp.foreign_text import cleaned, one_line
from smallhold.tools.results import RESULT_LIMIT_CHARS, cut
from smallhold.tools.run_context import AnyContext, ContextParameter

if TYPE_CHECKING:
    from smallhold.tools.a2a.connection import Connection

MOST_SESSIONS: Final = 1_000
"""Conversations that are remembered; the ones longest unused are forgotten first."""
_DESCRIPTION_LIMIT_CHARS: Final = 500
_REASON_LIMIT_CHARS: Final = 500
_CONTEXT: Final = "run context"
"""Name of the parameter that takes the `RunContext`; shown to nobody."""
_MESSAGE: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "description": "What to ask or tell it, in plain words."}
    },
    "required": ["message"],
    "additionalProperties": False,
}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thread:
    """Where a conversation with the other agent stands."""

    context_id: str = ""
    task_id: str = ""
    """The task that waits for our next message; `""` if none does."""


class RemoteAgent:
    """An agent of another program that speaks A2A.

    A message is sent once: where it is not known whether it was read, the error says so.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        name: str | None = None,
        limits: A2ALimits = DEFAULT_LIMITS,
        offline_mode: bool = True,
    ) -> None:
        """Use an agent; nothing is opened yet.

        Args:
            url: Its address, such as `http://127.0.0.1:9000`. No other one is ever opened, also
                if its card points there.
            headers: Sent with every request, such as `Authorization`.
            name: What errors call it.
            limits: What it may cost.
            offline_mode: Whether only this machine may be spoken to, as in an agent's `Config`.

        Raises:
            ConfigError: The address cannot be used, or leads to another machine while offline.
        """
        address = WebAddress(url=url)
        check_address(address, offline=offline_mode or load_settings().offline)
        self.name = name or urlsplit(url).netloc
        self.remote_host = remote_host(address)
        """The other machine that it is on; `None` if it is this one."""
        self._url = url
        self._headers = MappingProxyType(dict(headers))
        self._limits = limits
        self._made_connection: Connection | None = None
        self._threads: OrderedDict[str, _Thread] = OrderedDict()

    async def describe(self) -> AgentDescription:
        """Read its card: what it says of itself, which is foreign text.

        Raises:
            ConfigError: The A2A SDK is not installed.
            PeerError: It cannot be reached, or its card cannot be read.
        """
        connection = await self._connection()
        return await connection.describe()

    async def chat_async(self, text: str, *, session: str | None = None) -> str:
        """Send a message and wait for the answer; raises as `stream`."""
        answer = ""
        async with aclosing(self.stream(text, session=session)) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    answer = event.text
        return answer

    async def stream(self, text: str, *, session: str | None = None) -> AsyncGenerator[Event]:
        """Send a message and hand out the answer as it comes; the last event is a `DoneEvent`.

        Wrap the stream in `contextlib.aclosing` if you may leave it early: that asks the other
        agent to stop.

        Args:
            text: The message.
            session: The conversation that it belongs to.

        Raises:
            PeerUnavailableError: It cannot be reached; it has not seen the message.
            PeerTimeoutError: It took longer than `answer_s`, and was asked to stop.
            PeerRefusalError: It failed, refused or cancelled the task.
            UnknownOutcomeError: The connection ended after the message was sent.
            PeerFaultError: It broke the protocol, or a limit.
        """
        started_s = time.monotonic()
        connection = await self._connection()
        thread = self._threads.get(session or "", _Thread())
        answer = AnswerSoFar()
        updates = connection.send(
            text,
            task_id=thread.task_id,
            context_id=thread.context_id,
            message_id=uuid.uuid4().hex,
        )
        try:
            async with aclosing(updates):
                while (update := await self._next(updates, started_s=started_s)) is not None:
                    if new := answer.add(update):
                        yield TokenEvent(text=new)  # noqa: ASYNC119 - see the docstring
                    if answer.is_over:
                        break
        finally:
            if answer.task_id and not answer.is_over:
                await connection.cancel(answer.task_id)
        self._remember(session, answer)
        self._refuse_failure(answer)
        total_s = time.monotonic() - started_s
        yield DoneEvent(text=answer.text, usage=Usage(), timing=Timing(total_s=total_s))

    async def as_tool(self, *, name: str | None = None, description: str | None = None) -> AnyTool:
        """Make a tool by which another agent asks this one.

        The session of the run that calls it is a conversation of its own with the other agent.

        Args:
            name: What the model calls it; by default made of the card's name.
            description: What the model reads; by default what the card says, which is foreign.

        Raises:
            PeerError: The card is needed and cannot be read.
        """
        if name is None or description is None:
            card = await self.describe()
            name = name or usable_name(card.name)
            description = description or one_line(
                f"Ask the agent {card.name!r}: {card.description}",
                limit_chars=_DESCRIPTION_LIMIT_CHARS,
            )

        async def ask(**values: Any) -> str:
            context: AnyContext = values[_CONTEXT]
            answer = await self.chat_async(values["message"], session=context.session)
            return cleaned(cut(answer, limit_chars=RESULT_LIMIT_CHARS))

        return Tool(
            schema=ToolSchema(
                name=name, description=description, parameters=_MESSAGE, composed=("message",)
            ),
            function=ask,
            arguments=ForeignArguments(schema=_MESSAGE),
            timeout_s=self._limits.answer_s,
            context=ContextParameter(name=_CONTEXT),
        )

    async def _next(self, updates: AsyncGenerator[Update], *, started_s: float) -> Update | None:
        """Wait for the next update, as long as there is time; `None` at the end."""
        limit_s = self._limits.answer_s
        try:
            with anyio.fail_after(max(0.0, started_s + limit_s - time.monotonic())):
                return await anext(updates, None)
        except TimeoutError as error:
            raise PeerTimeoutError(peer=self.name, action="a message", limit_s=limit_s) from error

    def _remember(self, session: str | None, answer: AnswerSoFar) -> None:
        if session is None:
            return
        waits = answer.phase in {TaskPhase.NEEDS_INPUT, TaskPhase.NEEDS_LOGIN}
        self._threads[session] = _Thread(
            context_id=answer.context_id, task_id=answer.task_id if waits else ""
        )
        self._threads.move_to_end(session)
        while len(self._threads) > MOST_SESSIONS:
            self._threads.popitem(last=False)

    def _refuse_failure(self, answer: AnswerSoFar) -> None:
        said = one_line(answer.said, limit_chars=_REASON_LIMIT_CHARS)
        match answer.phase:
            case TaskPhase.COMPLETED | TaskPhase.NEEDS_INPUT:
                return
            case TaskPhase.FAILED | TaskPhase.REJECTED | TaskPhase.CANCELED as phase:
                reason = f"{phase.value}: {said}" if said else phase.value
                raise PeerRefusalError(peer=self.name, reason=reason)
            case TaskPhase.NEEDS_LOGIN:
                reason = "it wants a login in the middle of the task, which is not offered"
                raise PeerRefusalError(peer=self.name, reason=reason)
            case TaskPhase.WORKING:
                raise UnknownOutcomeError(
                    peer=self.name, action="what the message asks", problem="its answer broke off"
                )
            case None:
                raise PeerFaultError(peer=self.name, problem="it sent an answer without content")

    async def _connection(self) -> Connection:
        if self._made_connection is None:
            make = await to_thread.run_sync(_load_sdk)
            self._made_connection = make(
                self._url, name=self.name, headers=self._headers, limits=self._limits
            )
        return self._made_connection


def _load_sdk() -> type[Connection]:
    """Import the SDK, in a thread of its own since it takes a while.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        from smallhold.tools.a2a.connection import Connection  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise ConfigError(
            field="RemoteAgent",
            value=error.name,
            remedy="the module is missing; run `pip install 'smallhold[a2a]'`",
        ) from error
    return Connection
