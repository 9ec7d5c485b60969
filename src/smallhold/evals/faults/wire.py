"""OpenAI's chat completions as JSON: this file holds the writing of a model's replies.

Source: the OpenAI API reference, "Chat Completions", request, response and stream objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final, cast

from smallhold.evals.faults.model import Answer, Calls, Line, Reply, Wish, wish
from smallhold.evals.faults.stage import spoken
from smallhold.messages import JsonObject, JsonValue, Role

FINAL_ANSWER: Final = "final_answer"
"""The tool through which smolagents has a model answer."""
DEFAULT_MAX_TOKENS: Final = 2048
"""Most tokens of a reply where the request does not say, as servers have a limit of their own."""
PIECE_CHARS: Final = 5
"""Streamed text and arguments come in pieces of this length, so that calls come in halves."""
_IDENTITY: Final[JsonObject] = {"id": "fault", "created": 0, "model": "fault-model"}


def read_lines(request: JsonObject) -> tuple[Line, ...]:
    """Read the messages of a request; what is not text is left out."""
    messages = request.get("messages")
    found = messages if isinstance(messages, list) else []
    return tuple(
        Line(role=_role(message), text=_text(message.get("content")))
        for message in found
        if isinstance(message, dict)
    )


def read_tools(request: JsonObject) -> tuple[str, ...]:
    """Read the names of the tools on offer."""
    tools = request.get("tools")
    functions = [
        tool.get("function")
        for tool in (tools if isinstance(tools, list) else [])
        if isinstance(tool, dict)
    ]
    return tuple(str(function.get("name")) for function in functions if isinstance(function, dict))


def max_tokens(request: JsonObject) -> int:
    """Read how long a reply may be."""
    for name in ("max_completion_tokens", "max_tokens"):
        value = request.get(name)
        if isinstance(value, int):
            return value
    return DEFAULT_MAX_TOKENS


def in_dialect(reply: Reply, *, tools: Sequence[str]) -> Reply:
    """Let a framework's own tool carry the answer, where it offers one for that."""
    if isinstance(reply, Answer) and FINAL_ANSWER in tools:
        return Calls(wishes=(wish(FINAL_ANSWER, answer=reply.text),))
    return reply


def completion(reply: Reply, *, max_tokens: int, turn: int) -> JsonObject:
    """Write a reply as one response.

    Args:
        reply: What the model says.
        max_tokens: Most words of it.
        turn: Number of the reply, so that no two calls share an id.
    """
    text, is_cut = spoken(reply, max_tokens=max_tokens)
    wishes = reply.wishes if isinstance(reply, Calls) else ()
    message: JsonObject = {"role": "assistant", "content": None if wishes and not text else text}
    if wishes:
        message["tool_calls"] = [
            _call(it, key=call_key(turn, number)) for number, it in enumerate(wishes)
        ]
    choice: JsonObject = {
        "index": 0,
        "message": message,
        "finish_reason": _reason(reply, is_cut=is_cut),
    }
    usage: JsonObject = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {**_IDENTITY, "object": "chat.completion", "choices": [choice], "usage": usage}


def chunks(reply: Reply, *, max_tokens: int, turn: int) -> Iterator[JsonObject]:
    """Write a reply as the chunks of a stream, calls in halves; arguments as for `completion`."""
    text, is_cut = spoken(reply, max_tokens=max_tokens)
    yield _chunk({"role": "assistant", "content": ""})
    for piece in pieces(text):
        yield _chunk({"content": piece})
    for number, it in enumerate(reply.wishes if isinstance(reply, Calls) else ()):
        opening: JsonObject = {**_call(it, key=call_key(turn, number)), "index": number}
        opening["function"] = {"name": it.name, "arguments": ""}
        yield _chunk({"tool_calls": [opening]})
        for piece in pieces(it.arguments):
            delta: JsonObject = {"index": number, "function": {"arguments": piece}}
            yield _chunk({"tool_calls": [delta]})
    yield _chunk({}, reason=_reason(reply, is_cut=is_cut))


def pieces(text: str) -> Iterator[str]:
    """Cut a text into small pieces, without regard to what is in it."""
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]


def call_key(turn: int, number: int) -> str:
    """Make the id of a call: the reply's number and its place among the reply's calls."""
    return f"call_{turn}_{number}"


def event(chunk: JsonObject) -> bytes:
    """Write a chunk as a server-sent event, characters beyond ASCII as themselves."""
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


def failure(problem: str, *, code: str) -> JsonObject:
    """Write an error of the request."""
    return {"error": {"message": problem, "type": "invalid_request_error", "code": code}}


def _chunk(delta: JsonObject, *, reason: str | None = None) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": reason}
    return {**_IDENTITY, "object": "chat.completion.chunk", "choices": [choice]}


def _call(wish: Wish, *, key: str) -> JsonObject:
    function: JsonObject = {"name": wish.name, "arguments": wish.arguments}
    return {"id": key, "type": "function", "function": function}


def _reason(reply: Reply, *, is_cut: bool) -> str:
    if is_cut:
        return "length"
    return "tool_calls" if isinstance(reply, Calls) else "stop"


def _role(message: JsonObject) -> Role:
    try:
        return Role(str(message.get("role")))
    except ValueError:
        # Newer requests call the system's message the developer's.
        return Role.SYSTEM


def _text(content: JsonValue) -> str:
    if isinstance(content, list):
        parts = cast("list[JsonValue]", content)
        return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
    return content if isinstance(content, str) else ""
