"""From messages to token ids: this file holds the prompt encoder of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

import numpy as np

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.llama import Model
from smallhold.engine.recent import RecentValues
from smallhold.engine.template_segments import control_pattern, merged_where_harmless
from smallhold.engine.template_text import Segment
from smallhold.engine.tokens import Tokens, common_prefix
from smallhold.generation import Prompt
from smallhold.messages import Message, Role

_REMEMBERED_PREFIXES: Final = 64
"""Agents served by one model; finding a prefix costs six renderings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPrompt:
    """A prompt as the model reads it."""

    tokens: Tokens
    """int32 [n_tokens]"""
    stable_tokens: int
    """Leading tokens that stay the same whatever the conversation is: instructions and tools."""
    tail: str
    """End of the continuation that is not in `tokens`: the last, unfinished line.

    A token may span from the given text into the generated one (`": "` is one token in JSON, while
    `": ` and `"` would be two that training text never shows), so the last line is left to be
    decoded: as a literal of the grammar, or before each scored choice.
    """


class PromptEncoder:
    """Renders and tokenizes prompts for one model.

    Raises:
        ChatTemplateError: the template failed or asked for too much.
    """

    def __init__(self, model: Model, template: ChatTemplate) -> None:
        self._model = model
        self._template = template
        self._controls = control_pattern(model.special_texts())
        self._stable = RecentValues[str, Tokens](limit=_REMEMBERED_PREFIXES)

    def encode(self, prompt: Prompt, *, splits_tail: bool) -> EncodedPrompt:
        """Turn a prompt into tokens.

        Args:
            prompt: Messages, tools and the opening of the assistant's turn.
            splits_tail: Leave the continuation's last line in `tail`.
        """
        cut = self._tail_start(prompt.continuation) if splits_tail else len(prompt.continuation)
        head, tail = prompt.continuation[:cut], prompt.continuation[cut:]
        segments = list(self._template.render_parts(prompt.messages, prompt.tools))
        segments += self._opening(head)
        tokens = self._tokenize(segments)
        stable = common_prefix(self._stable_tokens(prompt), tokens)
        return EncodedPrompt(tokens=tokens, stable_tokens=stable, tail=tail)

    def _opening(self, text: str) -> Iterator[Segment]:
        """Trust the control token that a continuation begins with, which is its dialect's own.

        What comes later may be arguments of calls, and these are users' words.
        """
        match = self._controls.match(text)
        end = 0 if match is None else match.end(1)
        yield Segment(text=text[:end], is_trusted=True)
        yield Segment(text=text[end:], is_trusted=False)

    def _tail_start(self, continuation: str) -> int:
        ends = [match.end(1) for match in self._controls.finditer(continuation)]
        return max([continuation.rfind("\n") + 1, *ends])

    def _tokenize(self, segments: Sequence[Segment]) -> Tokens:
        tokens: list[int] = []
        # Text that spells no control token is tokenized together with its surroundings, as in
        # training; text that does is tokenized alone, with that spelling read as plain text.
        for run in merged_where_harmless(segments, control_tokens=self._controls):
            tokens += self._model.tokenize(run.text, parse_special=run.is_trusted)
        if self._model.adds_bos and tokens[:1] != [self._model.bos]:
            tokens.insert(0, self._model.bos)
        return np.asarray(tokens, dtype=np.int32)

    def _stable_tokens(self, prompt: Prompt) -> Tokens:
        leading = tuple(takewhile(lambda message: message.role is Role.SYSTEM, prompt.messages))
        fixed = prompt.messages[: len(leading) + prompt.fixed_messages]
        key = repr((fixed, prompt.tools))
        known = self._stable.get(key)
        if known is None:
            known = self._tokenize(self._stable_parts(prompt, fixed))
            self._stable.put(key, known)
        return known

    def _stable_parts(self, prompt: Prompt, fixed: tuple[Message, ...]) -> list[Segment]:
        if prompt.fixed_messages == 0:
            return self._template.stable_parts(prompt.messages, prompt.tools)
        # Where a template writes these messages otherwise once more follow, less is shared.
        return self._template.render_parts(fixed, prompt.tools, add_generation_prompt=False)
