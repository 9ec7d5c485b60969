"""Promises of `smallhold.evals.faults.server`: this file holds tests of a case over HTTP."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from smallhold.evals.faults import Hangs, Stage, cases_named
from smallhold.evals.faults.judging import effect
from smallhold.evals.faults.server import served
from smallhold.messages import JsonObject, JsonValue

(WEATHER,) = cases_named(["reply_in_another_language"])
ASKED: JsonObject = {
    "messages": [{"role": "user", "content": WEATHER.exchanges[0].text}],
    "tools": [{"type": "function", "function": {"name": "get_weather"}}],
}


class Client:
    """Sends requests to one address."""

    def __init__(self, address: str) -> None:
        self._place = urlsplit(address)

    def post(self, path: str, body: JsonObject) -> tuple[int, bytes]:
        connection = HTTPConnection(str(self._place.hostname), self._place.port, timeout=5)
        try:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def chat(self, body: JsonObject) -> tuple[int, Any]:
        status, text = self.post("/v1/chat/completions", body)
        return status, json.loads(text)


@pytest.fixture
def stage() -> Stage:
    return Stage(replace(WEATHER, limits=replace(WEATHER.limits, model_calls=2)))


@pytest.fixture
def client(stage: Stage) -> Generator[Client]:
    with served(stage) as address:
        yield Client(address)


def test_the_model_calls_its_tool_with_an_id_of_its_own_each_time(client: Client) -> None:
    replies = [client.chat(ASKED)[1] for _ in range(2)]
    calls = [reply["choices"][0]["message"]["tool_calls"][0] for reply in replies]
    assert [call["function"]["name"] for call in calls] == ["get_weather"] * 2
    assert calls[0]["id"] != calls[1]["id"]


def test_a_stream_ends_with_its_mark_and_is_utf8_in_spite_of_its_pieces(client: Client) -> None:
    told: JsonObject = {"role": "tool", "content": "18 degrees in Paris"}
    messages: list[JsonValue] = [{"role": "user", "content": WEATHER.exchanges[0].text}, told]
    status, body = client.post(
        "/v1/chat/completions", {**ASKED, "messages": messages, "stream": True}
    )
    assert status == 200
    events = body.decode().strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    deltas = [
        json.loads(line.removeprefix("data: "))["choices"][0]["delta"] for line in events[:-1]
    ]
    assert "\u5df4\u9ece" in "".join(delta.get("content", "") for delta in deltas)


def test_a_tool_acts_and_is_noted(client: Client, stage: Stage) -> None:
    status, body = client.post("/tools/get_weather", {"city": "Paris", "days": 3})
    assert (status, json.loads(body)) == (200, {"result": "18 degrees in Paris"})
    assert stage.effects == (effect("get_weather", city="Paris", days=3),)


def test_what_a_tool_raises_is_told(client: Client) -> None:
    assert "no_such_tool" in json.loads(client.post("/tools/no_such_tool", {})[1])["raised"]


def test_a_prompt_that_is_too_long_is_a_bad_request_with_its_code(client: Client) -> None:
    long: JsonObject = {"role": "tool", "content": "x" * 4 * WEATHER.limits.context_tokens}
    status, reply = client.chat({**ASKED, "messages": [long]})
    assert (status, reply["error"]["code"]) == (400, "context_length_exceeded")


def test_a_model_that_was_asked_too_often_refuses(client: Client, stage: Stage) -> None:
    statuses = [client.chat(ASKED)[0] for _ in range(3)]
    assert statuses == [200, 200, 400]
    assert stage.was_refused


def test_any_other_path_is_not_found(client: Client) -> None:
    assert client.post("/v1/models", {})[0] == 404


def test_leaving_the_block_frees_tools_that_hang() -> None:
    (case,) = cases_named(["tool_hangs"])
    stage = Stage(case)
    with served(stage) as address:
        place = urlsplit(address)
        connection = HTTPConnection(str(place.hostname), place.port)
        connection.request("POST", "/tools/order_status", '{"order_id": "1042"}')
    connection.close()
    with pytest.raises(Hangs):
        stage.act("order_status", {"order_id": "1042"})
