"""What to write where a file brings no chat template: this file holds the default one."""

from __future__ import annotations

from typing import Final

CHATML_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML, the form most small models were tuned on. Source: OpenAI's ChatML description, 2023."""
