"""pydantic-ai in the cases: this file holds how its `Agent` is run."""

# Its packages lie in an environment of their own, where no type checker of ours looks.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from channel import API_KEY, MODEL, MOST_MODEL_CALLS, Exchange, Task, Told, in_thread, serve, shown
from pydantic_ai import Agent, Tool
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits


def agent_of(task: Task, exchange: Exchange) -> Agent[None, str]:
    """Make an agent with the case's tools, time limit and answer length."""
    provider = OpenAIProvider(base_url=task.base_url, api_key=API_KEY)
    return Agent(
        OpenAIChatModel(MODEL, provider=provider),
        tools=[
            Tool(in_thread(function, name=name), name=name)
            for name, function in exchange.tools.items()
        ],
        model_settings=ModelSettings(max_tokens=task.answer_tokens),
        tool_timeout=task.tool_timeout_s,
        **({"retries": 3} if task.is_hardened else {}),
    )


def limits_of(task: Task) -> UsageLimits | None:
    """Limit the model's calls, if hardened."""
    return UsageLimits(request_limit=MOST_MODEL_CALLS) if task.is_hardened else None


async def run(task: Task, told: Told) -> None:
    """Answer the user's messages."""
    history: list[Any] = []
    for exchange in task.exchanges:
        agent = agent_of(task, exchange)
        if task.is_streamed:
            async with agent.run_stream(
                exchange.text, message_history=history, usage_limits=limits_of(task)
            ) as stream:
                text = "".join([piece async for piece in stream.stream_text(delta=True)])
            told.answers.append(text)
            history = stream.all_messages()
        else:
            result = await agent.run(
                exchange.text, message_history=history, usage_limits=limits_of(task)
            )
            told.answers.append(shown(result.output))
            told.is_cut = told.is_cut or result.response.finish_reason == "length"
            history = result.all_messages()


if __name__ == "__main__":
    serve(run)
