from __future__ import annotations

from itertools import pairwise

from smallhold.agents.demonstrations import (
    CALLER_INSTRUCTIONS,
    DEMONSTRATIONS,
    with_demonstrations,
)
from smallhold.generation import Prompt
from smallhold.messages import Message, Role

SYSTEM = Message(role=Role.SYSTEM, content="You serve a shop.")
USER = Message(role=Role.USER, content="Where is order 1042?")


def test_samples_stand_between_instructions_and_conversation() -> None:
    shown = with_demonstrations(Prompt(messages=(SYSTEM, USER)))
    assert shown.messages == (SYSTEM, *DEMONSTRATIONS, USER)


def test_a_prompt_without_instructions_gets_some() -> None:
    shown = with_demonstrations(Prompt(messages=(USER,)))
    assert shown.messages[0] == Message(role=Role.SYSTEM, content=CALLER_INSTRUCTIONS)
    assert shown.messages[-1] == USER


def test_samples_copy_their_values_word_for_word_except_dates() -> None:
    for message, following in pairwise(DEMONSTRATIONS):
        for call in following.tool_calls:
            words = message.content.replace("four", "4").replace("3 May 2024", "2024-05-03")
            assert all(str(value) in words for value in call.arguments.values())
