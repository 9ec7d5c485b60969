"""An agent as an A2A server: this file holds the one adapter of the SDK's server."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Final, cast

from a2a.helpers import new_task_from_user_message, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.context import ServerCallContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandlerV2
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types.a2a_pb2 import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
    Task,
    TaskState,
)
from a2a.utils.errors import TaskNotFoundError
from starlette.applications import Starlette
from typing_extensions import override

from smallhold.exceptions import SmallholdError
from smallhold.messages import DoneEvent, ErrorEvent, TokenEvent
from smallhold.tools.a2a.description import AgentDescription
from smallhold.tools.a2a.pieces import Pieces
from smallhold.tools.serving.answerer import Answerer
from smallhold.tools.serving.gate import Application

RPC_PATH: Final = "/"
CARD_PATH: Final = "/.well-known/agent-card.json"
"""Source: A2A specification 1.0, section 8.2, well-known URI."""
SESSION_PREFIX: Final = "a2a-"
"""Sessions of other agents are their own: none can go on with a conversation of somebody else."""
MOST_TASKS: Final = 1_000
"""Finished tasks that can still be asked for; the oldest are forgotten first."""
_ARTIFACT: Final = "answer"
_TEXT: Final = "text/plain"
_BINDING: Final = "JSONRPC"
_VERSIONS: Final = ("1.0", "0.3")
_BEARER: Final = "bearer"
_FAILED: Final = "The agent failed; its log says why."
_NO_TEXT: Final = "This agent reads text, and the message has none."
_ENDED: Final = frozenset({
    TaskState.TASK_STATE_COMPLETED,
    TaskState.TASK_STATE_FAILED,
    TaskState.TASK_STATE_CANCELED,
    TaskState.TASK_STATE_REJECTED,
})

_log = logging.getLogger(__name__)


def agent_card(description: AgentDescription, *, url: str, needs_token: bool) -> AgentCard:
    """Write the card by which other agents find out what an agent can do.

    Args:
        description: Of the agent.
        url: Where messages are sent to.
        needs_token: Whether they must carry a token.
    """
    card = AgentCard(
        name=description.name,
        description=description.description,
        version=description.version,
        supported_interfaces=[
            AgentInterface(url=url, protocol_binding=_BINDING, protocol_version=version)
            for version in _VERSIONS
        ],
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=[_TEXT],
        default_output_modes=[_TEXT],
        skills=[
            AgentSkill(
                id=skill.id,
                name=skill.name,
                description=skill.description,
                tags=skill.tags,
                examples=skill.examples,
            )
            for skill in description.skills
        ],
    )
    if needs_token:
        scheme = HTTPAuthSecurityScheme(scheme=_BEARER)
        card.security_schemes[_BEARER].CopyFrom(SecurityScheme(http_auth_security_scheme=scheme))
        card.security_requirements.append(SecurityRequirement(schemes={_BEARER: StringList()}))
    return card


def a2a_application(
    answerer: Answerer, description: AgentDescription, *, url: str, needs_token: bool = False
) -> Application:
    """Make the ASGI application that serves an agent; to be put behind a `Gate`.

    Args:
        answerer: The agent.
        description: What its card says.
        url: Where clients reach it.
        needs_token: Whether the gate asks for a token.
    """
    card = agent_card(description, url=url, needs_token=needs_token)
    handler = DefaultRequestHandlerV2(
        agent_executor=AnsweringExecutor(answerer), task_store=BoundedTasks(), agent_card=card
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await handler.aclose()

    routes = [
        *create_agent_card_routes(card, card_url=CARD_PATH),
        *create_jsonrpc_routes(handler, rpc_url=RPC_PATH, enable_v0_3_compat=True),
    ]
    return cast("Application", Starlette(routes=routes, lifespan=lifespan))


class AnsweringExecutor(AgentExecutor):
    """Lets an agent answer a message, and sends its tokens on as pieces of an artifact."""

    def __init__(self, answerer: Answerer) -> None:
        """Serve an agent."""
        self._answerer = answerer

    @override
    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        message = context.message
        if message is None:
            return
        task = context.current_task
        if task is None:
            task = new_task_from_user_message(message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        text = context.get_user_input()
        if not text.strip():
            await updater.reject(updater.new_agent_message([new_text_part(_NO_TEXT)]))
            return
        await updater.start_work()
        try:
            await self._answer(text, updater, session=f"{SESSION_PREFIX}{task.context_id}")
        except SmallholdError as error:
            await _fail(updater, error)
        except Exception as error:  # noqa: BLE001 - what a foreign program may not read
            await _fail(updater, error)

    @override
    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        # The SDK has cancelled `execute` by now, which stops the model.
        if context.task_id is None or context.context_id is None:
            raise TaskNotFoundError
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    async def _answer(self, text: str, updater: TaskUpdater, *, session: str) -> None:
        pieces = Pieces()
        async with aclosing(self._answerer.stream(text, session=session)) as events:
            async for event in events:
                match event:
                    case TokenEvent(text=token):
                        is_more = pieces.is_begun
                        await _send(updater, pieces.add(token), is_more=is_more)
                    case DoneEvent(text=whole):
                        # Whole and in one part, so that whoever reads the task gets one text.
                        await updater.add_artifact(
                            [new_text_part(whole)],
                            artifact_id=_ARTIFACT,
                            name=_ARTIFACT,
                            append=False,
                            last_chunk=True,
                        )
                        await updater.complete()
                    case ErrorEvent(error=error):
                        await _fail(updater, error)
                    case _:
                        pass


async def _send(updater: TaskUpdater, piece: str, *, is_more: bool) -> None:
    if piece:
        await updater.add_artifact(
            [new_text_part(piece)],
            artifact_id=_ARTIFACT,
            name=_ARTIFACT,
            append=is_more,
            last_chunk=False,
        )


async def _fail(updater: TaskUpdater, error: Exception) -> None:
    _log.warning("a2a.answer_failed", extra={"error": type(error).__name__})
    text = str(error) if isinstance(error, SmallholdError) else _FAILED
    await updater.failed(updater.new_agent_message([new_text_part(text)]))


class BoundedTasks(InMemoryTaskStore):
    """Keeps tasks in memory, and only so many of those that are over."""

    def __init__(self, *, most: int = MOST_TASKS) -> None:
        """Keep up to `most` finished tasks."""
        super().__init__()
        self._most = most
        self._finished: OrderedDict[str, ServerCallContext] = OrderedDict()

    @override
    async def save(self, task: Task, context: ServerCallContext) -> None:
        await super().save(task, context)
        if task.status.state in _ENDED:
            self._finished[task.id] = context
        while len(self._finished) > self._most:
            oldest, owner = self._finished.popitem(last=False)
            await self.delete(oldest, owner)
