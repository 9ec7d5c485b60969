from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.agents import Example
from smallhold.agents.call_script import (
    CONTENT_FREE_TEXT,
    INSTRUCTIONS,
    call_line,
    call_script,
    content_free,
    sample_messages,
)
from smallhold.agents.demonstrations import SAMPLES
from smallhold.agents.examples import example_messages
from smallhold.agents.signatures import functions_text
from smallhold.agents.special_calls import ANSWER_NAME, DONE_NAME, RESERVED_NAMES
from smallhold.engine.chat_template import ChatTemplate
from smallhold.generation import Prompt
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema
from smallhold.models.gguf.header import read_gguf_header
from smallhold.runtimes.dialects import JSON_LINES

TEMPLATES: Final = Path(__file__).parents[1] / "engine" / "templates"
HELD_TODAY: Final = date(2030, 1, 31)


def tool(name: str, description: str = "Look something up.") -> ToolSchema:
    parameters: JsonObject = {
        "type": "object",
        "properties": {"order_id": {"type": "string"}},
        "required": ["order_id"],
    }
    return ToolSchema(name=name, description=description, parameters=parameters)


TOOLS = (tool("order_status"), tool("order_cancel"))
SYSTEM = Message(role=Role.SYSTEM, content="You serve a shop.")
EXAMPLES = example_messages([
    Example(text="Where is 77?", tool="order_status", arguments={"order_id": "77"}, result="sent"),
    Example(text="Do you like the sea?"),
])
CALL = ToolCall(id="1", name="order_status", arguments={"order_id": "1042"})
OTHER = ToolCall(id="2", name="order_cancel", arguments={"order_id": "Ä \n 7", "why": None})
TALK = (
    Message(role=Role.USER, content="Where is order 1042?"),
    Message(role=Role.ASSISTANT, content="", tool_calls=(CALL,)),
    Message(role=Role.TOOL, content="on its way", tool_call_id="1"),
    Message(role=Role.ASSISTANT, content="It is on its way."),
    Message(role=Role.USER, content="Thank you!"),
)

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS: st.SearchStrategy[JsonObject] = st.dictionaries(st.text(max_size=5), JSON, max_size=3)
CONTENTS = st.text(max_size=12) | st.sampled_from([
    "Message: hi",
    "Results:\nok",
    '{"name": "done", "arguments": {}}',
    "Functions:\nx() - y",
])
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(Role),
    content=CONTENTS,
    tool_calls=st.sampled_from([(), (CALL,), (CALL, OTHER)]),
)
CONVERSATIONS = st.lists(MESSAGES, max_size=8).map(tuple)


def prompt_of(
    conversation: Sequence[Message],
    *,
    shown: Sequence[Message] = EXAMPLES,
    fixed: int | None = None,
) -> Prompt:
    return Prompt(
        messages=(SYSTEM, *shown, *conversation),
        tools=TOOLS,
        fixed_messages=len(shown) if fixed is None else fixed,
    )


def roles_after_the_system(prompt: Prompt) -> list[Role]:
    assert prompt.messages[0].role is Role.SYSTEM
    return [message.role for message in prompt.messages[1:]]


def calls_in(message: Message) -> list[str]:
    lines = message.content.split("\n")
    return [json.loads(line)["name"] for line in lines if line.startswith('{"name": ')]


def said_by(role: Role, script: Prompt) -> str:
    return "\n".join(message.content for message in script.messages if message.role is role)


# What is in it


def test_a_script_begins_with_instructions_and_samples_that_know_nothing_of_the_agent() -> None:
    script = call_script(prompt_of(TALK))
    assert script.messages[: len(sample_messages())] == sample_messages()
    assert sample_messages()[0] == Message(role=Role.SYSTEM, content=INSTRUCTIONS)
    assert not any("order_status" in message.content for message in sample_messages())


def test_the_samples_come_before_the_agent_s_functions_and_these_before_its_conversation() -> None:
    script = call_script(prompt_of(TALK, shown=()))
    whole = "\n".join(message.content for message in script.messages)
    order = (
        SAMPLES[-1].text,
        functions_text(TOOLS),
        "Instructions: You serve a shop.",
        "Message: Where is order 1042?",
        '{"name": "order_status", "arguments": {"order_id": "1042"}}',
        "Results:\non its way",
        "It is on its way.",
        "Message: Thank you!",
    )
    places = [whole.rindex(text) for text in order]
    assert places == sorted(places)


def test_an_agent_without_instructions_has_no_empty_line_of_them() -> None:
    bare = Prompt(messages=(Message(role=Role.USER, content="Hello"),), tools=TOOLS)
    assert call_script(bare).messages[-1].content == f"{functions_text(TOOLS)}\n\nMessage: Hello"


def test_every_special_call_is_explained() -> None:
    for name in RESERVED_NAMES:
        assert name in INSTRUCTIONS


def test_a_model_is_shown_no_tools_but_in_the_text() -> None:
    script = call_script(prompt_of(TALK))
    assert script.tools == ()
    assert all(not message.tool_calls for message in script.messages)
    assert {message.role for message in script.messages[1:]} == {Role.USER, Role.ASSISTANT}


def test_an_answer_is_shown_with_the_decision_that_led_to_it() -> None:
    answered = call_script(prompt_of(TALK[:-1])).messages[-1]
    assert answered.content.split("\n") == [call_line(ANSWER_NAME, {}), "It is on its way."]


def test_calls_are_shown_each_on_its_line_and_then_that_they_are_all() -> None:
    called = Message(role=Role.ASSISTANT, content="", tool_calls=(CALL, OTHER))
    shown = call_script(prompt_of([*TALK[:1], called])).messages[-1]
    assert calls_in(shown) == ["order_status", "order_cancel", DONE_NAME]


def test_after_a_call_that_stands_for_none_nothing_is_called() -> None:
    assert calls_in(call_script(prompt_of(())).messages[-1]) == [ANSWER_NAME]


def test_a_script_ends_where_the_name_or_the_arguments_of_the_next_call_begin() -> None:
    prompt = prompt_of(TALK)
    assert call_script(prompt).continuation == '{"name": "'
    opened = call_script(prompt, opened="order_status").continuation
    assert opened == '{"name": "order_status", "arguments": '
    made = call_script(prompt, made=[CALL, OTHER], opened="order_status").continuation
    first, second, third = made.split("\n")
    assert json.loads(first) == {"name": CALL.name, "arguments": CALL.arguments}
    assert json.loads(second) == {"name": OTHER.name, "arguments": OTHER.arguments}
    assert third == opened


@given(st.text(max_size=8), OBJECTS)
def test_a_call_is_one_line_of_json_that_says_name_and_arguments(
    name: str, arguments: JsonObject
) -> None:
    line = call_line(name, arguments)
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line) == {"name": name, "arguments": arguments}


def test_the_adapter_of_a_prompt_reads_its_script_too() -> None:
    prompt = Prompt(messages=TALK, tools=TOOLS, adapter="shop")
    assert call_script(prompt).adapter == "shop"


# Whatever the conversation is


@given(CONVERSATIONS, st.sampled_from([(), EXAMPLES, EXAMPLES[:3]]), st.integers(0, 3))
@example((Message(role=Role.ASSISTANT, content="Hello, what can I do?"),), EXAMPLES, 0)
@example((Message(role=Role.ASSISTANT, content="Hello"),), (), 0)
@example((), (), 0)
def test_user_and_assistant_take_turns_whatever_the_conversation_is(
    conversation: tuple[Message, ...], shown: tuple[Message, ...], more_fixed: int
) -> None:
    script = call_script(prompt_of(conversation, shown=shown, fixed=len(shown) + more_fixed))
    roles = roles_after_the_system(script)
    assert roles[0] is Role.USER
    assert set(roles) <= {Role.USER, Role.ASSISTANT}
    assert all(earlier is not later for earlier, later in pairwise(roles))


@given(CONVERSATIONS, st.sampled_from([(), EXAMPLES]))
def test_nothing_that_was_said_returned_or_answered_is_lost(
    conversation: tuple[Message, ...], shown: tuple[Message, ...]
) -> None:
    script = call_script(prompt_of(conversation, shown=shown))
    written = {
        Role.SYSTEM: said_by(Role.USER, script),
        Role.USER: said_by(Role.USER, script),
        Role.TOOL: said_by(Role.USER, script),
        Role.ASSISTANT: said_by(Role.ASSISTANT, script),
    }
    for message in (*shown, *conversation):
        assert message.content in written[message.role]
        for made in message.tool_calls if message.role is Role.ASSISTANT else ():
            assert call_line(made.name, made.arguments) in written[Role.ASSISTANT]


@given(CONVERSATIONS)
def test_only_the_agent_s_own_words_stand_in_its_turns(conversation: tuple[Message, ...]) -> None:
    def own(messages: Sequence[Message]) -> list[Message]:
        return [message for message in messages if message.role is Role.ASSISTANT]

    others = [
        Message(role=message.role, content="overheard")
        if message.role is not Role.ASSISTANT
        else message
        for message in conversation
    ]
    real, changed = (call_script(prompt_of(talk)) for talk in (conversation, others))
    assert own(real.messages) == own(changed.messages)


# Byte for byte


@given(CONVERSATIONS, CONVERSATIONS, st.sampled_from([(), EXAMPLES]))
def test_all_messages_to_an_agent_share_everything_up_to_the_message(
    one: tuple[Message, ...], other: tuple[Message, ...], shown: tuple[Message, ...]
) -> None:
    first, second = (
        call_script(prompt_of((Message(role=Role.USER, content="?"), *talk), shown=shown))
        for talk in (one, other)
    )
    fixed = 1 + first.fixed_messages
    assert second.fixed_messages == first.fixed_messages
    assert first.messages[:fixed] == second.messages[:fixed]
    begin = first.messages[fixed].content.index("Message: ")
    assert first.messages[fixed].content[:begin] == second.messages[fixed].content[:begin]
    head = "".join(message.content for message in first.messages[:fixed])
    assert functions_text(TOOLS) in head + first.messages[fixed].content[:begin]


@given(CONVERSATIONS, CONVERSATIONS, st.sampled_from([(), EXAMPLES]))
def test_a_later_decision_begins_with_all_of_the_earlier_one(
    earlier: tuple[Message, ...], later: tuple[Message, ...], shown: tuple[Message, ...]
) -> None:
    asked = (*earlier, Message(role=Role.USER, content="And this?"))
    answered = (*asked, Message(role=Role.ASSISTANT, content="That."), *later)
    short, long = (call_script(prompt_of(talk, shown=shown)) for talk in (asked, answered))
    assert long.messages[: len(short.messages)] == short.messages
    assert len(long.messages) > len(short.messages)
    assert long.fixed_messages == short.fixed_messages


@given(st.lists(OBJECTS, min_size=1, max_size=3), st.text(max_size=6))
def test_calls_that_were_made_are_read_again_as_they_were_decided(
    decoded: list[JsonObject], result: str
) -> None:
    made = tuple(
        ToolCall(id=str(number), name="order_status", arguments=arguments)
        for number, arguments in enumerate(decoded)
    )
    deciding = call_script(prompt_of(TALK[:1]), made=made)
    results = [Message(role=Role.TOOL, content=result, tool_call_id=call.id) for call in made]
    called = Message(role=Role.ASSISTANT, content="", tool_calls=made)
    after = call_script(prompt_of([*TALK[:1], called, *results]))
    shown = after.messages[len(deciding.messages)]
    assert shown.role is Role.ASSISTANT
    done = call_line(DONE_NAME, {}).removeprefix(JSON_LINES.before_name)
    assert shown.content == deciding.continuation + done


def test_tools_in_another_order_are_another_prompt() -> None:
    turned = Prompt(messages=(SYSTEM, *TALK), tools=TOOLS[::-1])
    assert call_script(turned) != call_script(Prompt(messages=(SYSTEM, *TALK), tools=TOOLS))


# The twin without content


@given(CONVERSATIONS, st.sampled_from([(), EXAMPLES]))
def test_the_twin_without_content_keeps_what_is_the_same_for_all_messages(
    conversation: tuple[Message, ...], shown: tuple[Message, ...]
) -> None:
    talk = (Message(role=Role.USER, content="Hello"), *conversation)
    empty = content_free(prompt_of(talk, shown=shown))
    nothing = Message(role=Role.USER, content=CONTENT_FREE_TEXT)
    assert empty.messages == (SYSTEM, *shown, nothing)
    assert (empty.tools, empty.fixed_messages) == (TOOLS, len(shown))
    assert call_script(empty).messages[-1].content.endswith(f"Message: {CONTENT_FREE_TEXT}")


# In the words of real models


def rendered(template: ChatTemplate, script: Prompt) -> str:
    return template.render(script.messages, script.tools) + script.continuation


def assert_stable(template: ChatTemplate) -> None:
    called = (CALL, OTHER)
    after = (
        TALK[0],
        Message(role=Role.ASSISTANT, content="", tool_calls=called),
        *(Message(role=Role.TOOL, content="ok", tool_call_id=call.id) for call in called),
    )
    prompts = [
        call_script(prompt_of(TALK[:1])),
        call_script(prompt_of(TALK[:1]), made=[CALL]),
        call_script(prompt_of(TALK[:1]), made=called),
        call_script(prompt_of(after)),
        call_script(prompt_of((*after, *TALK[3:]))),
    ]
    texts = [rendered(template, prompt) for prompt in prompts]
    for earlier, later in pairwise(texts):
        assert later.startswith(earlier.removesuffix(JSON_LINES.before_name))
    for written in ("Where is order 1042?", "Results:\nok", "It is on its way.", "Thank you!"):
        assert written in texts[-1]
    greeting = Message(role=Role.USER, content="Good day!")
    other = rendered(template, call_script(prompt_of([greeting])))
    shared = other[: other.index("Good day!")]
    assert texts[0].startswith(shared)
    assert functions_text(TOOLS) in shared
    assert "Do you like the sea?" in shared


@pytest.mark.parametrize("source", sorted(TEMPLATES.glob("*.jinja")), ids=lambda path: path.stem)
def test_every_family_s_template_reads_each_decision_as_the_earlier_one_and_more(
    source: Path,
) -> None:
    assert_stable(
        ChatTemplate(source.read_text(), bos_token="<s>", eos_token="</s>", today=HELD_TODAY)  # noqa: S106 - tokens of text
    )


def test_the_template_of_a_stored_model_reads_each_decision_as_the_earlier_one_and_more(
    smollm2_path: Path, qwen_coder_path: Path
) -> None:
    for path in (smollm2_path, qwen_coder_path):
        source = read_gguf_header(path).chat_template
        assert source is not None
        assert_stable(ChatTemplate(source, bos_token="", eos_token="<|im_end|>"))  # noqa: S106 - a token of text
