"""What tests of guardrails share: this file holds checks made of a few words."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from smallhold.agents.guardrails import OutputCheck, ResultCheck, ToolCheck
from smallhold.messages import JsonValue, Message, Role, ToolCall, ToolSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A step of a run."""

    call: ToolCall
    content: str
    is_error: bool = False
    ran: bool = True


class Desk:
    """Makes what guardrails are shown."""

    def step(self, tool: str, content: str, *, ran: bool = True, is_error: bool = False) -> Ran:
        call = ToolCall(id=f"call_{tool}", name=tool, arguments={})
        return Ran(call=call, content=content, ran=ran, is_error=is_error)

    def call(self, tool: str, *steps: Ran, **arguments: JsonValue) -> ToolCheck:
        return ToolCheck(
            call=ToolCall(id="call_1", name=tool, arguments=dict(arguments)),
            tool=ToolSchema(name=tool, description="A tool.", parameters={"type": "object"}),
            steps=steps,
        )

    def result(self, content: str, *, tool: str = "web_search") -> ResultCheck:
        return ResultCheck(call=ToolCall(id="call_1", name=tool, arguments={}), content=content)

    def answer(
        self, text: str, *steps: Ran, user: str = "Please help.", knowledge: tuple[str, ...] = ()
    ) -> OutputCheck:
        conversation = (Message(role=Role.USER, content=user),)
        return OutputCheck(text=text, steps=steps, conversation=conversation, knowledge=knowledge)

    def earlier(self, tool: str, content: str) -> tuple[Message, ...]:
        """Give a call and its result, as an earlier turn left them in the conversation."""
        call = ToolCall(id="call_0", name=tool, arguments={})
        return (
            Message(role=Role.ASSISTANT, content="", tool_calls=(call,)),
            Message(role=Role.TOOL, content=content, tool_call_id="call_0"),
        )


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()
