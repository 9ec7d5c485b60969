"""Agents: settings, the turn loop, prompts and results."""

from smallhold.agents.agent import Agent
from smallhold.agents.config import Config
from smallhold.agents.examples import Example
from smallhold.agents.result import Ending, Result, Step

__all__ = ["Agent", "Config", "Ending", "Example", "Result", "Step"]
