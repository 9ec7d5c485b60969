"""What a turn is told: this file holds the settings of an agent's turns, and of one turn."""

from __future__ import annotations

from dataclasses import dataclass

from smallhold.agents.context import ContextFitter
from smallhold.agents.examples import Example
from smallhold.agents.guardrails import Guardrail
from smallhold.agents.output_types import OutputType
from smallhold.agents.planning import ToolChoice
from smallhold.agents.recalling import Recall
from smallhold.agents.tool_selection import ToolSelection
from smallhold.generation import Sampling
from smallhold.messages import Message
from smallhold.runtimes.protocol import Runtime
from smallhold.tools import ToolSet


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """What stays the same in all turns of an agent."""

    runtime: Runtime
    instructions: Message
    tools: ToolSet
    examples: tuple[Example, ...]
    sampling: Sampling
    max_tokens: int
    max_steps: int
    max_calls: int | None
    fitter: ContextFitter
    selection: ToolSelection
    guardrails: tuple[Guardrail, ...] = ()
    tool_choice: ToolChoice = "auto"
    recall: Recall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What one turn is for."""

    session: str | None = None
    run_id: str = ""
    context: object = None
    """What the caller passes to the tools; no model sees it."""
    output: OutputType[object] | None = None
    """What the answer must be, where it is not prose."""
