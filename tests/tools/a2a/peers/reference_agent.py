"""An agent written with the A2A SDK alone, in a process of its own: this file holds its manners.

Run as `reference_agent.py PORT`. What it does is what the message asks for.
"""

import os
import sys

import anyio
import uvicorn
from a2a.helpers import new_task_from_user_message, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types.a2a_pb2 import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
from starlette.applications import Starlette
from typing_extensions import override

PORT = int(sys.argv[1])
CANCELED: list[str] = []


async def say(updater: TaskUpdater, *pieces: str) -> None:
    for number, piece in enumerate(pieces):
        await updater.add_artifact([new_text_part(piece)], artifact_id="answer", append=number > 0)


async def echo(updater: TaskUpdater, text: str) -> None:
    await say(updater, f"{text} in {updater.context_id[:4]}")
    await updater.complete()


async def stream(updater: TaskUpdater, text: str) -> None:
    del text
    await say(updater, *(f"piece {number} " for number in range(5)))
    await updater.complete()


async def question(updater: TaskUpdater, text: str) -> None:
    del text
    await updater.requires_input(updater.new_agent_message([new_text_part("Which order?")]))


async def fail(updater: TaskUpdater, text: str) -> None:
    del text
    await updater.failed(updater.new_agent_message([new_text_part("no stock")]))


async def reject(updater: TaskUpdater, text: str) -> None:
    del text
    await updater.reject(updater.new_agent_message([new_text_part("not me")]))


async def login(updater: TaskUpdater, text: str) -> None:
    del text
    await updater.requires_auth()


async def hang(updater: TaskUpdater, text: str) -> None:
    await say(updater, text)
    await anyio.sleep(600)


async def cancels(updater: TaskUpdater, text: str) -> None:
    del text
    await say(updater, f"{len(CANCELED)}")
    await updater.complete()


async def big(updater: TaskUpdater, text: str) -> None:
    del text
    await say(updater, *["x" * 100_000] * 100)
    await updater.complete()


async def die(updater: TaskUpdater, text: str) -> None:
    os._exit(len((updater.task_id, text)))


ENDINGS = {
    each.__name__: each for each in (stream, question, fail, reject, login, hang, cancels, big, die)
}


class Manners(AgentExecutor):
    @override
    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        text = context.get_user_input()
        if text == "message":
            await event_queue.enqueue_event(new_text_message("a plain message"))
            return
        message = context.message
        assert message is not None
        task = context.current_task
        if task is None:
            task = new_task_from_user_message(message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()

        is_new = context.current_task is None
        await (ENDINGS.get(text) or echo)(updater, text if is_new else f"{text} continued")

    @override
    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.task_id is not None
        assert context.context_id is not None
        CANCELED.append(context.task_id)
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


CARD = AgentCard(
    name="manners",
    description="Does what it is told.",
    version="1",
    supported_interfaces=[
        AgentInterface(
            url=f"http://127.0.0.1:{PORT}/", protocol_binding="JSONRPC", protocol_version="1.0"
        )
    ],
    capabilities=AgentCapabilities(streaming=sys.argv[2:] != ["polled"]),
    default_input_modes=["text/plain"],
    default_output_modes=["text/plain"],
    skills=[AgentSkill(id="obey", name="Obey", description="Obeys.", tags=["x"])],
)
HANDLER = DefaultRequestHandler(
    agent_executor=Manners(), task_store=InMemoryTaskStore(), agent_card=CARD
)
APPLICATION = Starlette(
    routes=[*create_agent_card_routes(CARD), *create_jsonrpc_routes(HANDLER, rpc_url="/")]
)
if __name__ == "__main__":
    uvicorn.run(APPLICATION, port=PORT, log_level="error")
