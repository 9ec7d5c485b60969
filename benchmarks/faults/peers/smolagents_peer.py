"""smolagents in the cases: this file holds how its `ToolCallingAgent` is run."""

# Its packages lie in an environment of their own, where no type checker of ours looks.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUntypedBaseClass=false

from __future__ import annotations

import inspect
from datetime import date
from typing import Any, Literal, get_args, get_origin, get_type_hints

import anyio.to_thread
from channel import (
    API_KEY,
    MODEL,
    MOST_MODEL_CALLS,
    Exchange,
    Task,
    Told,
    ToolFunction,
    serve,
    shown,
)
from smolagents import OpenAIModel, Tool, ToolCallingAgent
from smolagents.models import ChatMessageStreamDelta

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", date: "string"}


class DeskTool(Tool):
    """A plain function as a tool, described by the inputs that the framework knows."""

    skip_forward_signature_validation = True

    def __init__(self, function: ToolFunction, *, name: str) -> None:
        self.name = name
        self.description = inspect.getdoc(function) or ""
        self.inputs = inputs_of(function)
        self.output_type = "string"
        self._function = function
        super().__init__()

    def forward(self, *arguments: Any, **named: Any) -> str:
        """Call the function, as the framework's own decorator does."""
        return self._function(*arguments, **named)


def inputs_of(function: ToolFunction) -> dict[str, dict[str, Any]]:
    """Describe a function's parameters by JSON types, choices and defaults included."""
    hints = get_type_hints(function)
    found: dict[str, dict[str, Any]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        described: dict[str, Any] = {"type": TYPES.get(hint, "object"), "description": name}
        if get_origin(hint) is Literal:
            described |= {"type": "string", "enum": list(get_args(hint))}
        if parameter.default is not inspect.Parameter.empty:
            described["nullable"] = True
        found[name] = described
    return found


def agent_of(task: Task, exchange: Exchange) -> ToolCallingAgent:
    """Make an agent with the case's tools and answer length."""
    model = OpenAIModel(
        model_id=MODEL, api_base=task.base_url, api_key=API_KEY, max_tokens=task.answer_tokens
    )
    tools = [DeskTool(function, name=name) for name, function in exchange.tools.items()]
    return ToolCallingAgent(
        tools=tools,
        model=model,
        stream_outputs=task.is_streamed,
        verbosity_level=0,
        **({"max_steps": MOST_MODEL_CALLS} if task.is_hardened else {}),
    )


async def run(task: Task, told: Told) -> None:
    """Answer the user's messages, in a thread: the framework is synchronous."""
    await anyio.to_thread.run_sync(answer, task, told, abandon_on_cancel=True)


def answer(task: Task, told: Told) -> None:
    """Answer the user's messages."""
    memory = None
    for exchange in task.exchanges:
        agent = agent_of(task, exchange)
        is_first = memory is None
        if memory is not None:
            agent.memory.steps = memory
        if task.is_streamed:
            told.answers.append(streamed(agent, exchange.text))
        else:
            told.answers.append(shown(agent.run(exchange.text, reset=is_first)))
        memory = agent.memory.steps


def streamed(agent: ToolCallingAgent, text: str) -> str:
    """Collect what an application would show: text as it comes, then the final answer."""
    text_shown, final = "", ""
    for step in agent.run(text, stream=True):
        if isinstance(step, ChatMessageStreamDelta):
            text_shown += step.content or ""
        else:
            final = shown(getattr(step, "output", None)) or final
    return text_shown + final


if __name__ == "__main__":
    serve(run)
