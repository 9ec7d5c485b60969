"""The official SDK behind values of our own: this file holds the one adapter of its client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from types import MappingProxyType
from typing import Final, cast

import anyio
import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError, AgentCardResolutionError
from a2a.helpers import get_artifact_text, get_message_text, new_text_message
from a2a.types.a2a_pb2 import (
    AgentCard,
    AgentInterface,
    CancelTaskRequest,
    GetTaskRequest,
    Role,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
)
from a2a.utils.errors import A2AError

from smallhold.exceptions import (
    PeerError,
    PeerFaultError,
    PeerRefusalError,
    PeerTimeoutError,
    PeerUnavailableError,
    UnknownOutcomeError,
)
from smallhold.tools.a2a.answers import TaskPhase, Update
from smallhold.tools.a2a.description import AgentDescription, Skill
from smallhold.tools.a2a.one_origin import AnotherAddressError, OneOrigin, is_same_origin
from smallhold.tools.a2a.settings import A2ALimits
from smallhold.tools.mcp.foreign_text import one_line

_REASON_LIMIT_CHARS: Final = 500
_FIRST_POLL_S: Final = 0.2
_LONGEST_POLL_S: Final = 2.0
_CANCEL_S: Final = 3.0
_UNKNOWN_CODE: Final = "JSON-RPC Error"
"""How the SDK begins an agent's own error of a kind that it does not know; what else it raises as
`A2AClientError` is about answers that it could not read."""
_PHASES: Final[Mapping[int, TaskPhase]] = MappingProxyType({
    TaskState.TASK_STATE_SUBMITTED: TaskPhase.WORKING,
    TaskState.TASK_STATE_WORKING: TaskPhase.WORKING,
    TaskState.TASK_STATE_COMPLETED: TaskPhase.COMPLETED,
    TaskState.TASK_STATE_INPUT_REQUIRED: TaskPhase.NEEDS_INPUT,
    TaskState.TASK_STATE_AUTH_REQUIRED: TaskPhase.NEEDS_LOGIN,
    TaskState.TASK_STATE_FAILED: TaskPhase.FAILED,
    TaskState.TASK_STATE_CANCELED: TaskPhase.CANCELED,
    TaskState.TASK_STATE_REJECTED: TaskPhase.REJECTED,
})


class Connection:
    """Asks one agent; makes HTTP connections as they are needed."""

    def __init__(
        self, url: str, *, name: str, headers: Mapping[str, str], limits: A2ALimits
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: The agent's address, which its card lies below.
            name: What errors call it.
            headers: Sent with every request.
            limits: What it may cost.
        """
        self._url = url
        self._name = name
        self._headers = dict(headers)
        self._limits = limits
        self._card: AgentCard | None = None

    async def describe(self) -> AgentDescription:
        """Read the agent's card."""
        async with self._http() as http:
            return _description(await self._known_card(http))

    async def send(
        self, text: str, *, task_id: str, context_id: str, message_id: str
    ) -> AsyncGenerator[Update]:
        """Send a message and hand out what comes back, to the end of its task. To be closed.

        Args:
            text: The message.
            task_id: The task that it goes on with, `""` for a new one.
            context_id: The conversation that it belongs to, `""` for a new one.
            message_id: Of the message, by which a server knows it again.

        Raises:
            PeerUnavailableError: The agent cannot be reached; it has not seen the message.
            UnknownOutcomeError: The connection ended after the message was sent.
            PeerError: The agent refused, or broke its contract.
        """
        message = new_text_message(
            text, context_id=context_id or None, task_id=task_id or None, role=Role.ROLE_USER
        )
        message.message_id = message_id
        async with self._client() as client:
            latest = Update(task_id=task_id)
            request = SendMessageRequest(message=message)
            # The SDK declares its generator as a plain iterator.
            answers = cast("AsyncGenerator[StreamResponse]", client.send_message(request))
            async with aclosing(self._mapped(answers)) as updates:
                async for update in updates:
                    latest = update if update.task_id else latest
                    yield update  # noqa: ASYNC119 - callers close this generator
            async with aclosing(self._rest(client, latest)) as updates:
                async for update in updates:
                    yield update  # noqa: ASYNC119 - as above

    async def cancel(self, task_id: str) -> None:
        """Ask the agent to stop working on a task; what it says to that does not matter."""
        with anyio.move_on_after(_CANCEL_S, shield=True):
            try:
                async with self._client() as client:
                    await client.cancel_task(CancelTaskRequest(id=task_id))
            except (A2AError, PeerError, httpx.HTTPError):
                return

    async def _rest(self, client: Client, latest: Update) -> AsyncGenerator[Update]:
        """Ask again and again for a task that an agent goes on with after its first answer."""
        pause_s = _FIRST_POLL_S
        while latest.task_id and latest.phase in {None, TaskPhase.WORKING}:
            await anyio.sleep(pause_s)
            pause_s = min(_LONGEST_POLL_S, 2 * pause_s)
            with _translated(self._name, limits=self._limits, was_sent=True):
                task = await client.get_task(GetTaskRequest(id=latest.task_id))
            updates = _of_task(task)
            latest = updates[-1]
            for update in updates:
                yield update

    async def _mapped(self, answers: AsyncGenerator[StreamResponse]) -> AsyncGenerator[Update]:
        async with aclosing(answers):
            while True:
                with _translated(self._name, limits=self._limits, was_sent=True):
                    try:
                        answer = await anext(answers)
                    except StopAsyncIteration:
                        return
                for update in _updates(answer):
                    yield update  # noqa: ASYNC119 - `send` closes this generator

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[Client]:
        async with self._http() as http:
            card = await self._known_card(http)
            factory = ClientFactory(ClientConfig(httpx_client=http))
            try:
                client = factory.create(self._usable(card))
            except ValueError as error:
                problem = "its card names no JSON-RPC interface of a version that is known"
                raise PeerFaultError(peer=self._name, problem=problem) from error
            yield client

    @asynccontextmanager
    async def _http(self) -> AsyncGenerator[httpx.AsyncClient]:
        limits = self._limits
        async with httpx.AsyncClient(
            transport=OneOrigin(self._url, most_bytes=limits.answer_bytes),
            headers={"accept-encoding": "identity", **self._headers},
            timeout=httpx.Timeout(limits.connect_s, read=limits.silence_s),
            follow_redirects=False,
            # Proxies and credentials of the environment would lead to other addresses.
            trust_env=False,
        ) as http:
            yield http

    async def _known_card(self, http: httpx.AsyncClient) -> AgentCard:
        if self._card is None:
            with _translated(self._name, limits=self._limits, was_sent=False):
                self._card = await A2ACardResolver(http, self._url).get_agent_card()
        return self._card

    def _usable(self, card: AgentCard) -> AgentCard:
        """Keep the interfaces that are at the address which the caller gave."""
        here: list[AgentInterface] = [
            each for each in card.supported_interfaces if _is_here(each.url, self._url)
        ]
        if not here:
            problem = "its card points to another address than the one that was given"
            raise PeerFaultError(peer=self._name, problem=problem)
        usable = AgentCard()
        usable.CopyFrom(card)
        del usable.supported_interfaces[:]
        usable.supported_interfaces.extend(each for each in here if not each.tenant)
        return usable


def _is_here(url: str, own: str) -> bool:
    try:
        return is_same_origin(url, own)
    except httpx.InvalidURL:
        return False


@contextmanager
def _translated(name: str, *, limits: A2ALimits, was_sent: bool) -> Generator[None]:
    """Turn the errors of the SDK and its HTTP client into ours.

    Args:
        name: Whom an error is about.
        limits: What it could have been that ran out.
        was_sent: Whether the agent may have read a message by the time that a connection breaks.
    """
    try:
        yield
    # Whatever its parsing trips over, the SDK lets through.
    except Exception as error:
        raise _our_error(error, name=name, limits=limits, was_sent=was_sent) from error


def _our_error(error: Exception, *, name: str, limits: A2ALimits, was_sent: bool) -> PeerError:
    if isinstance(error, PeerError):
        return error
    cause = error.__cause__ if isinstance(error.__cause__, httpx.HTTPError) else error
    if isinstance(cause, httpx.HTTPError):
        return _http_error(cause, name=name, limits=limits, was_sent=was_sent)
    text = one_line(str(cause), limit_chars=_REASON_LIMIT_CHARS)
    if isinstance(cause, AgentCardResolutionError):
        return PeerFaultError(peer=name, problem="its card cannot be read")
    is_unreadable = isinstance(cause, A2AClientError) and not text.startswith(_UNKNOWN_CODE)
    if isinstance(cause, A2AError) and not is_unreadable:
        return PeerRefusalError(peer=name, reason=text)
    problem = f"its answer cannot be read ({type(cause).__name__})"
    return PeerFaultError(peer=name, problem=problem)


def _http_error(
    error: httpx.HTTPError, *, name: str, limits: A2ALimits, was_sent: bool
) -> PeerError:
    kind = type(error).__name__
    ours: PeerError
    match error:
        case AnotherAddressError() | httpx.DecodingError():
            ours = PeerFaultError(peer=name, problem=str(error))
        case httpx.HTTPStatusError():
            reason = f"HTTP {error.response.status_code} {error.response.reason_phrase}"
            ours = PeerRefusalError(peer=name, reason=reason)
        case httpx.ReadTimeout():
            ours = PeerTimeoutError(peer=name, action="a message", limit_s=limits.silence_s)
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            ours = PeerUnavailableError(peer=name, problem=f"it cannot be reached ({kind})")
        case _ if was_sent:
            problem = f"the connection broke ({kind})"
            ours = UnknownOutcomeError(peer=name, action="what the message asks", problem=problem)
        case _:
            ours = PeerUnavailableError(peer=name, problem=f"the connection broke ({kind})")
    return ours


def _updates(answer: StreamResponse) -> list[Update]:
    if answer.HasField("task"):
        return _of_task(answer.task)
    if answer.HasField("status_update"):
        update = answer.status_update
        return [_of_status(update.status, update.task_id, update.context_id)]
    if answer.HasField("artifact_update"):
        update = answer.artifact_update
        return [
            Update(
                task_id=update.task_id,
                context_id=update.context_id,
                artifact=update.artifact.artifact_id,
                text=get_artifact_text(update.artifact, delimiter=""),
                is_more=update.append,
            )
        ]
    message = answer.message
    return [
        Update(
            task_id=message.task_id,
            context_id=message.context_id,
            phase=TaskPhase.COMPLETED,
            said=get_message_text(message),
        )
    ]


def _of_task(task: Task) -> list[Update]:
    artifacts = [
        Update(
            task_id=task.id,
            context_id=task.context_id,
            artifact=artifact.artifact_id,
            text=get_artifact_text(artifact, delimiter=""),
        )
        for artifact in task.artifacts
    ]
    return [*artifacts, _of_status(task.status, task.id, task.context_id)]


def _of_status(status: TaskStatus, task_id: str, context_id: str) -> Update:
    return Update(
        task_id=task_id,
        context_id=context_id,
        phase=_PHASES.get(status.state, TaskPhase.WORKING),
        said=get_message_text(status.message) if status.HasField("message") else "",
    )


def _description(card: AgentCard) -> AgentDescription:
    return AgentDescription(
        name=card.name,
        description=card.description,
        version=card.version,
        skills=tuple(
            Skill(
                id=skill.id,
                name=skill.name,
                description=skill.description,
                tags=tuple(skill.tags),
                examples=tuple(skill.examples),
            )
            for skill in card.skills
        ),
    )
