"""Microsoft's agent-framework in the cases: this file holds how its `Agent` is run."""

# Its packages lie in an environment of their own, where no type checker of ours looks.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from agent_framework import Agent, tool
from agent_framework.openai import OpenAIChatCompletionClient
from channel import API_KEY, MODEL, MOST_MODEL_CALLS, Exchange, Task, Told, in_thread, serve


def agent_of(task: Task, exchange: Exchange) -> Agent:
    """Make an agent with the case's tools and answer length."""
    client = OpenAIChatCompletionClient(model=MODEL, api_key=API_KEY, base_url=task.base_url)
    if task.is_hardened:
        client.function_invocation_configuration["max_iterations"] = MOST_MODEL_CALLS - 1
        client.function_invocation_configuration["include_detailed_errors"] = True
    return Agent(
        client=client,
        name="desk",
        tools=[
            tool(in_thread(function, name=name), name=name)
            for name, function in exchange.tools.items()
        ],
        default_options={"max_tokens": task.answer_tokens},
    )


async def run(task: Task, told: Told) -> None:
    """Answer the user's messages."""
    session = None
    for exchange in task.exchanges:
        agent = agent_of(task, exchange)
        session = agent.create_session() if session is None else session
        if task.is_streamed:
            stream = agent.run(exchange.text, session=session, stream=True)
            told.answers.append("".join([update.text async for update in stream]))
        else:
            result = await agent.run(exchange.text, session=session)
            told.answers.append(result.text)
            told.is_cut = told.is_cut or str(result.finish_reason) == "length"


if __name__ == "__main__":
    serve(run)
