"""Who goes on with a run: this file holds the agent that a command resumes it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from smallhold.agents import Agent
from smallhold.cli.agent_setup import config_for, make_agent
from smallhold.exceptions import ConfigError
from smallhold.state import State
from smallhold.tools import load_object


def agent_for(
    spec: str | None, *, state: State, model: str | None = None, tools: str | None = None
) -> Agent:
    """Make or load the agent that a run is resumed with.

    Args:
        spec: `module:object`: an agent with a state of its own, or a function that makes one when
            it is given a state. `None` for the command line's own agent.
        state: Where the run is, for an agent that is made here.
        model: For the command line's own agent.
        tools: For the command line's own agent.

    Raises:
        ConfigError: there is no such object, or it is neither an agent nor makes one.
    """
    if spec is None:
        return make_agent(config_for(model), tools=tools, state=state)
    found = load_object(spec)
    if callable(found) and not isinstance(found, Agent):
        found = cast("Callable[[State], object]", found)(state)
    if not isinstance(found, Agent):
        raise ConfigError(
            field="--agent",
            value=spec,
            remedy="name an Agent, or a function that makes one of a State",
        )
    if found.state is None:
        raise ConfigError(
            field="--agent",
            value=spec,
            remedy="this agent keeps nothing; make it with `state=`",
        )
    return found
