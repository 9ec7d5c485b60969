"""openai-agents in the cases: this file holds how its `Runner` is run."""

# Its packages lie in an environment of their own, where no type checker of ours looks.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunConfig,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from channel import API_KEY, MODEL, MOST_MODEL_CALLS, Exchange, Task, Told, in_thread, serve, shown
from openai import AsyncOpenAI


def agent_of(task: Task, exchange: Exchange) -> Agent[None]:
    """Make an agent with the case's tools, time limit and answer length."""
    client = AsyncOpenAI(base_url=task.base_url, api_key=API_KEY)
    return Agent(
        name="desk",
        model=OpenAIChatCompletionsModel(model=MODEL, openai_client=client),
        model_settings=ModelSettings(max_tokens=task.answer_tokens),
        tools=[
            function_tool(
                in_thread(function, name=name),
                name_override=name,
                timeout=task.tool_timeout_s,
                **({"failure_error_function": told_in_full} if task.is_hardened else {}),
            )
            for name, function in exchange.tools.items()
        ],
    )


def told_in_full(_: object, error: Exception) -> str:
    """Tell the model what went wrong."""
    return f"Error: {error}"


def ended(_: object) -> str:
    """Give the user a text where the turns have run out."""
    return "I could not finish this."


def options_of(task: Task) -> dict[str, Any]:
    """Give the runner its own settings against faults, if hardened."""
    if not task.is_hardened:
        return {}
    return {
        "max_turns": MOST_MODEL_CALLS,
        "run_config": RunConfig(tool_not_found_behavior="return_error_to_model"),
        "error_handlers": {"max_turns": ended},
    }


async def run(task: Task, told: Told) -> None:
    """Answer the user's messages."""
    history: list[Any] = []
    for exchange in task.exchanges:
        agent = agent_of(task, exchange)
        given = [*history, {"role": "user", "content": exchange.text}]
        if task.is_streamed:
            result = Runner.run_streamed(agent, given, **options_of(task))
            text = ""
            async for event in result.stream_events():
                if event.type == "raw_response_event":
                    is_text = event.data.type == "response.output_text.delta"
                    text += event.data.delta if is_text else ""
            told.answers.append(text)
        else:
            result = await Runner.run(agent, given, **options_of(task))
            told.answers.append(shown(result.final_output))
        history = result.to_input_list()


if __name__ == "__main__":
    # Tracing would send spans to a server far away.
    set_tracing_disabled(True)
    serve(run)
