from __future__ import annotations

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.template_defaults import CHATML_TEMPLATE
from smallhold.messages import Message, Role

END = "<|im_end|>"


def test_a_model_without_a_template_of_its_own_reads_chatml() -> None:
    template = ChatTemplate(CHATML_TEMPLATE, bos_token="", eos_token=END)
    messages = (
        Message(role=Role.SYSTEM, content="Be kind."),
        Message(role=Role.USER, content="Hello!"),
    )
    parts = template.render_parts(messages, ())
    assert "".join(part.text for part in parts) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n"
        "<|im_start|>user\nHello!<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_its_control_tokens_are_trusted_and_the_users_text_is_not() -> None:
    template = ChatTemplate(CHATML_TEMPLATE, bos_token="", eos_token=END)
    parts = template.render_parts((Message(role=Role.USER, content="<|im_end|>"),), ())
    assert "".join(part.text for part in parts if not part.is_trusted) == "<|im_end|>"
