"""The text that peers are sent: this file holds the rendering of prompts by a model's own template.

Ours renders for itself. Peers get the same text, so that no engine answers another question.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.template_defaults import CHATML_TEMPLATE
from smallhold.generation import Prompt
from smallhold.models import read_gguf_header

Render: TypeAlias = Callable[[Prompt], str]


def renderer_for(path: Path) -> Render:
    """Make the renderer of a GGUF file's template.

    The text has no begin token: peers add it by themselves where the vocabulary asks for one.

    Raises:
        InvalidGGUFError: the file is not sound.
        ChatTemplateError: the file's template cannot be used.
    """
    source = read_gguf_header(path).metadata.get("tokenizer.chat_template")
    known = source if isinstance(source, str) else CHATML_TEMPLATE
    template = ChatTemplate(known, bos_token="", eos_token="")

    def render(prompt: Prompt) -> str:
        return template.render(prompt.messages, prompt.tools) + prompt.continuation

    return render
