"""From the command line to an agent: this file holds what `--model` and `--tools` mean."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smallhold.agents import Agent, Config
from smallhold.engine.wire import Described
from smallhold.runtimes.protocol import Runtime, WorkerRuntime
from smallhold.tools import load_tools

if TYPE_CHECKING:
    from smallhold.state import State

_NAME: Final = "command-line"
_MODEL_SUFFIX: Final = ".gguf"


def config_for(model: str | None) -> Config:
    """Make an agent's settings from `--model`: an alias, a file's path, or the default model.

    Raises:
        ConfigError: the text is empty.
    """
    config = Config(name=_NAME, offline_mode=True)
    if model is None:
        return config
    if is_path(model):
        return replace(config, model_id=model)
    return replace(config, model_alias=model)


def is_path(model: str) -> bool:
    """Tell a file from an alias, which has neither a slash nor this suffix."""
    return "/" in model or model.lower().endswith(_MODEL_SUFFIX)


def model_name(config: Config) -> str:
    """Name of the model that an agent of these settings uses."""
    return config.model_alias if config.model_id is None else Path(config.model_id).stem


def make_agent(
    config: Config,
    *,
    tools: str | None = None,
    runtime: Runtime | None = None,
    state: State | None = None,
) -> Agent:
    """Make an agent.

    Args:
        config: Who it is.
        tools: `module:object`, or none.
        runtime: What runs the model; by default made from `config`.
        state: Where sessions and runs are kept; `None` for in memory.

    Raises:
        ConfigError: the settings or the tools cannot be used.
        ToolDefinitionError: a function cannot become a tool.
        UnknownModelError: the alias is not in the catalog.
        ModelNotInstalledError: the model has not been pulled.
        InvalidGGUFError: the file is not sound.
    """
    loaded = () if tools is None else load_tools(tools)
    return Agent(config, runtime=runtime, tools=loaded, state=state)


async def close_agent(agent: Agent) -> None:
    """Free an agent's model, and close its state, whoever has opened it."""
    await agent.aclose()
    if agent.state is not None:
        await agent.state.aclose()


async def load_model(runtime: Runtime) -> tuple[Described | None, float]:
    """Load a model before it is needed.

    Returns:
        What was loaded, `None` from a runtime that cannot tell, and the seconds that it took.

    Raises:
        EngineError: the engine is missing or refuses the model.
    """
    if not isinstance(runtime, WorkerRuntime):
        return None, 0.0
    started_s = time.monotonic()
    described = await runtime.describe()
    return described, time.monotonic() - started_s
