"""Promises of `smallhold.tools.a2a.serving`: this file holds tests with the SDK's own client."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.helpers import get_artifact_text, get_message_text, new_text_message
from a2a.server.context import ServerCallContext
from a2a.types.a2a_pb2 import (
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
from tests.tools.mcp.served import SHARED_WORD

from smallhold.tools.a2a import AgentDescription, RemoteAgent, Skill
from smallhold.tools.a2a.serving import BoundedTasks, agent_card

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def sdk_client(url: str, *, streaming: bool = True) -> AsyncGenerator[Client]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        config = ClientConfig(httpx_client=http, streaming=streaming)
        yield ClientFactory(config).create(card)


async def sent(client: Client, text: str, *, context_id: str = "") -> list[StreamResponse]:
    message = new_text_message(text, role=Role.ROLE_USER, context_id=context_id or None)
    with anyio.fail_after(30):
        return [each async for each in client.send_message(SendMessageRequest(message=message))]


async def test_the_sdks_client_reads_an_answer_as_it_comes(desk_url: str) -> None:
    async with sdk_client(desk_url) as client:
        answers = await sent(client, "hello")
        task_id = answers[0].task.id
        task = await client.get_task(GetTaskRequest(id=task_id))
    pieces = [each.artifact_update for each in answers if each.HasField("artifact_update")]
    assert len(pieces) > 2
    assert [piece.append for piece in pieces] == [False, *[True] * (len(pieces) - 2), False]
    assert pieces[-1].last_chunk
    states = [each.status_update.status.state for each in answers if each.HasField("status_update")]
    assert states == [TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED]
    assert get_artifact_text(task.artifacts[0]) == (
        "You said 'hello', and every word of it has been understood here."
    )
    told = "".join(get_artifact_text(piece.artifact) for piece in pieces[:-1])
    assert get_artifact_text(task.artifacts[0]).startswith(told)


async def test_a_client_that_does_not_stream_gets_the_answer_whole(desk_url: str) -> None:
    async with sdk_client(desk_url, streaming=False) as client:
        (answer,) = await sent(client, "hello")
    assert answer.task.status.state == TaskState.TASK_STATE_COMPLETED
    assert get_artifact_text(answer.task.artifacts[0]).startswith("You said 'hello'")


async def test_messages_of_one_context_are_a_conversation(desk_url: str) -> None:
    async with sdk_client(desk_url, streaming=False) as client:
        (first,) = await sent(client, "I am Bo.")
        (again,) = await sent(client, "who am I?", context_id=first.task.context_id)
        (other,) = await sent(client, "who am I?")
    assert get_artifact_text(again.task.artifacts[0]) == "You are Bo."
    assert get_artifact_text(other.task.artifacts[0]) == "I do not know you."


async def test_a_task_is_cancelled_and_its_session_is_free_again(desk_url: str) -> None:
    async with sdk_client(desk_url) as client:
        message = new_text_message("wait", role=Role.ROLE_USER)
        states, task = list[int](), Task()
        started_s = time.monotonic()
        with anyio.fail_after(20):
            async for each in client.send_message(SendMessageRequest(message=message)):
                if each.HasField("task"):
                    task = each.task
                elif each.HasField("status_update"):
                    states.append(each.status_update.status.state)
                    if each.status_update.status.state == TaskState.TASK_STATE_WORKING:
                        await client.cancel_task(CancelTaskRequest(id=task.id))
        assert states[-1] == TaskState.TASK_STATE_CANCELED
        assert time.monotonic() - started_s < 10
        (*_, last) = await sent(client, "hello", context_id=task.context_id)
        assert last.status_update.status.state == TaskState.TASK_STATE_COMPLETED


async def test_what_goes_wrong_is_told_in_the_tasks_status(desk_url: str) -> None:
    async with sdk_client(desk_url, streaming=False) as client:
        (answer,) = await sent(client, "x" * 100_001)
    assert answer.task.status.state == TaskState.TASK_STATE_FAILED
    assert "too long" in get_message_text(answer.task.status.message)


async def test_a_card_names_the_skills_and_not_the_instructions(desk_url: str) -> None:
    description = await RemoteAgent(desk_url).describe()
    assert description.name == "desk"
    assert description.description == "questions about orders"
    assert [skill.id for skill in description.skills] == ["answer", "order_status"]


async def test_our_client_and_our_server_speak_to_each_other(desk_url: str) -> None:
    agent = RemoteAgent(desk_url)
    await agent.chat_async("I am Bo.", session="a")
    assert await agent.chat_async("who am I?", session="a") == "You are Bo."


async def test_a_guarded_agent_shows_its_card_and_answers_only_with_the_token(
    guarded_url: str,
) -> None:
    assert (await RemoteAgent(guarded_url).describe()).name == "desk"
    with pytest.raises(Exception, match="401"):
        await RemoteAgent(guarded_url).chat_async("hello")
    known = RemoteAgent(guarded_url, headers={"authorization": f"Bearer {SHARED_WORD}"})
    assert (await known.chat_async("hello")).startswith("You said 'hello'")
    async with httpx.AsyncClient(trust_env=False) as http:
        moved = await http.get(
            f"{guarded_url}.well-known/agent-card.json", headers={"host": "evil.example"}
        )
    assert moved.status_code == 421


async def test_an_older_client_is_understood(desk_url: str) -> None:
    message = {
        "kind": "message", "role": "user", "messageId": "1",
        "parts": [{"kind": "text", "text": "hello"}],
    }  # fmt: skip
    body = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        answer = (await http.post(desk_url, json=body)).json()
    assert answer["result"]["status"]["state"] == "completed"


async def test_an_unknown_task_is_an_error(desk_url: str) -> None:
    async with sdk_client(desk_url) as client:
        with pytest.raises(A2AError):
            await client.get_task(GetTaskRequest(id="none"))


def test_a_card_says_how_to_log_in_where_that_is_needed() -> None:
    description = AgentDescription(
        name="desk", description="d", version="1",
        skills=(Skill(id="a", name="A", description="Does a.", examples=("Do a.",)),),
    )  # fmt: skip
    card = agent_card(description, url="http://localhost/", needs_token=True)
    assert card.security_schemes["bearer"].http_auth_security_scheme.scheme == "bearer"
    assert card.skills[0].examples == ["Do a."]
    assert not agent_card(description, url="x", needs_token=False).security_schemes


async def test_only_so_many_finished_tasks_are_kept() -> None:
    tasks, context = BoundedTasks(most=3), ServerCallContext()
    running = Task(id="runs", context_id="c", status=TaskStatus(state=TaskState.TASK_STATE_WORKING))
    await tasks.save(running, context)
    for number in range(10):
        status = TaskStatus(state=TaskState.TASK_STATE_COMPLETED)
        await tasks.save(Task(id=str(number), context_id="c", status=status), context)
    kept = [name for name in ["runs", *map(str, range(10))] if await tasks.get(name, context)]
    assert kept == ["runs", "7", "8", "9"]
