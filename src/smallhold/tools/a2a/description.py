"""What an agent says of itself to other agents: this file holds its description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.tools.definition import AnyTool

_DESCRIPTION_LIMIT_CHARS: Final = 500
_ANSWERS: Final = "Answers messages in words."


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """One thing that an agent can do."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDescription:
    """An agent, for those who choose among several."""

    name: str
    description: str
    version: str
    skills: tuple[Skill, ...]


def describe_agent(
    name: str, *, about: Sequence[str | None], tools: Sequence[AnyTool], version: str
) -> AgentDescription:
    """Describe an agent by its settings and tools.

    What it is told to be stays its own: its instructions are no part of the description.

    Args:
        name: Its name.
        about: What it is for, in order of preference; the first text that there is will be taken.
        tools: Each becomes a skill.
        version: Of the agent or the program that runs it.
    """
    purpose = next((text.strip() for text in about if text and text.strip()), _ANSWERS)
    answering = Skill(id="answer", name="Answer", description=purpose, tags=("chat",))
    skills = tuple(
        Skill(
            id=tool.name,
            name=tool.name.replace("_", " "),
            description=tool.schema.description,
            tags=("tool",),
            examples=tool.examples,
        )
        for tool in tools
    )
    return AgentDescription(
        name=name,
        description=purpose[:_DESCRIPTION_LIMIT_CHARS],
        version=version,
        skills=(answering, *skills),
    )
