"""Agents: settings, the turn loop, prompts and results."""

from smallhold.agents.agent import Agent
from smallhold.agents.config import DEFAULT_GUARDRAILS, Config
from smallhold.agents.examples import Example
from smallhold.agents.parts import AgentParts
from smallhold.agents.planning import Intent
from smallhold.agents.recalling import Recall
from smallhold.agents.result import Ending, Refusal, Result, Step

__all__ = [
    "DEFAULT_GUARDRAILS",
    "Agent",
    "AgentParts",
    "Config",
    "Ending",
    "Example",
    "Intent",
    "Recall",
    "Refusal",
    "Result",
    "Step",
]
