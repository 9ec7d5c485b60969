"""langgraph in the cases: this file holds how the agent of langchain, its front door, is run."""

# Its packages lie in an environment of their own, where no type checker of ours looks.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from channel import API_KEY, MODEL, MOST_MODEL_CALLS, Exchange, Task, Told, in_thread, serve
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    ModelCallLimitMiddleware,
    ToolErrorMiddleware,
)
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI

KEPT_TOKENS = 2500
"""Context beyond which older results are cleared: with the largest result it still fits."""


def graph_of(task: Task, exchange: Exchange) -> Any:
    """Make an agent with the case's tools and answer length."""
    model = ChatOpenAI(
        model=MODEL,
        base_url=task.base_url,
        api_key=API_KEY,
        max_tokens=task.answer_tokens,
        streaming=task.is_streamed,
    )
    tools = [
        StructuredTool.from_function(coroutine=in_thread(function, name=name), name=name)
        for name, function in exchange.tools.items()
    ]
    return create_agent(model, tools, middleware=middleware_of(task))


def told_in_full(error: Exception, _: object) -> str:
    """Tell the model what a tool raised."""
    return f"Error: {error}"


def middleware_of(task: Task) -> list[Any]:
    """Give the agent the middleware that is meant against faults, if hardened."""
    if not task.is_hardened:
        return []
    clearing = ClearToolUsesEdit(trigger=KEPT_TOKENS, keep=1)
    return [
        ModelCallLimitMiddleware(run_limit=MOST_MODEL_CALLS, exit_behavior="end"),
        ToolErrorMiddleware(told_in_full),
        ContextEditingMiddleware(edits=[clearing]),
    ]


async def run(task: Task, told: Told) -> None:
    """Answer the user's messages."""
    history: list[Any] = []
    for exchange in task.exchanges:
        graph = graph_of(task, exchange)
        given = {"messages": [*history, {"role": "user", "content": exchange.text}]}
        if task.is_streamed:
            told.answers.append(await streamed(graph, given))
            continue
        result = await graph.ainvoke(given)
        last = result["messages"][-1]
        told.answers.append(last.text if isinstance(last, AIMessage) else "")
        told.is_cut = told.is_cut or last.response_metadata.get("finish_reason") == "length"
        history = result["messages"]


async def streamed(graph: Any, given: dict[str, Any]) -> str:
    """Collect the text of the model's messages as it comes."""
    shown = ""
    async for message, _ in graph.astream(given, stream_mode="messages"):
        shown += message.text if isinstance(message, AIMessage) else ""
    return shown


if __name__ == "__main__":
    serve(run)
