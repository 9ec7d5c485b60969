"""How calls are written, for agents without examples of their own: this file holds two samples.

They use tools that no agent has. What they show is the manner: values word for word as the user
wrote them, dates in digits, and no optional argument that the user did not ask for. Source:
`docs/evaluation.md`, ablation.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import Final

from smallhold.generation import Prompt
from smallhold.messages import JsonObject, Message, Role, ToolCall

CALLER_INSTRUCTIONS: Final = (
    "You call functions. Take argument values from the user's message, word for word. "
    "Leave an optional argument out unless the user asks for it."
)
"""Stands in for instructions where a prompt has none."""


def _sample(number: int, text: str, tool: str, arguments: JsonObject) -> tuple[Message, ...]:
    call = ToolCall(id=f"sample_{number}", name=tool, arguments=arguments)
    return (
        Message(role=Role.USER, content=text),
        Message(role=Role.ASSISTANT, content="", tool_calls=(call,)),
        Message(role=Role.TOOL, content="ok", tool_call_id=call.id),
        Message(role=Role.ASSISTANT, content="Done."),
    )


DEMONSTRATIONS: Final = (
    *_sample(
        1,
        "What is the tallest building in Chicago built after 1990?",
        "building_search",
        {"city": "Chicago", "built_after": 1990},
    ),
    *_sample(
        2,
        "Book a table for four at Luigi's on 3 May 2024 at 7 pm, indoors.",
        "restaurant_book",
        {
            "restaurant": "Luigi's",
            "people": 4,
            "date": "2024-05-03",
            "time": "7 pm",
            "area": "indoors",
        },
    ),
)


def with_demonstrations(prompt: Prompt) -> Prompt:
    """Put the samples between a prompt's instructions and its conversation."""
    leading = tuple(takewhile(lambda message: message.role is Role.SYSTEM, prompt.messages))
    instructions = leading or (Message(role=Role.SYSTEM, content=CALLER_INSTRUCTIONS),)
    conversation = prompt.messages[len(leading) :]
    return replace(
        prompt,
        messages=(*instructions, *DEMONSTRATIONS, *conversation),
        fixed_messages=len(DEMONSTRATIONS),
    )
