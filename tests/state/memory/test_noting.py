from __future__ import annotations

import json

import jsonschema

from smallhold.messages import Message, Role
from smallhold.state.memory import PERSONAL
from smallhold.state.memory.attributes import noting_schema
from smallhold.state.memory.grounding import grounded
from smallhold.state.memory.noting import asked_before, last_words, noting_prompt

NAMES = frozenset(attribute.name for attribute in PERSONAL)


def user(text: str) -> Message:
    return Message(role=Role.USER, content=text)


def assistant(text: str) -> Message:
    return Message(role=Role.ASSISTANT, content=text)


def test_all_but_the_last_message_is_the_same_each_time() -> None:
    first = noting_prompt("I'm Ann", question="", attributes=NAMES)
    second = noting_prompt("Porto", question="Where do you live?", attributes=NAMES)
    assert first.messages[:-1] == second.messages[:-1]
    assert first.fixed_messages == len(first.messages) - 2
    assert second.messages[-1].content == "[You asked: Where do you live?] Porto"


def test_the_examples_are_valid_and_grounded() -> None:
    messages = noting_prompt("", question="", attributes=NAMES).messages[1:-1]
    for asked, noted in zip(messages[::2], messages[1::2], strict=True):
        document = json.loads(noted.content)
        jsonschema.validate(document, noting_schema(PERSONAL))
        assert all(grounded(fact["value"], asked.content) for fact in document["facts"])


def test_examples_show_no_attribute_that_may_not_be_noted() -> None:
    text = str(noting_prompt("", question="", attributes={"name"}).messages)
    assert "allergy" not in text
    assert '"facts": []' in text


def test_the_question_right_before_an_answer_is_found() -> None:
    asked = [assistant("Fine, thanks. What is  your name?"), user("Ann")]
    assert asked_before(asked) == "What is your name?"
    assert asked_before([*asked, assistant("Hello Ann."), user("Hi")]) == ""
    assert asked_before([user("Who are you?"), user("Ann")]) == ""
    assert asked_before([]) == ""


def test_what_the_user_said_last_is_found() -> None:
    assert last_words([user("a"), assistant("b"), user("c"), assistant("d")]) == "c"
    assert last_words([assistant("b")]) == ""
