"""From messages to token ids: this file holds the prompt encoder of one model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.llama import Model
from smallhold.engine.prefix_cache import Tokens, common_prefix
from smallhold.engine.template_text import Segment
from smallhold.generation import Prompt
from smallhold.messages import Message, ToolSchema


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
        self._specials = _special_pattern(model)
        self._stable: tuple[tuple[tuple[Message, ...], tuple[ToolSchema, ...]], Tokens] | None = None

    def encode(self, prompt: Prompt, *, splits_tail: bool) -> EncodedPrompt:
        """Turn a prompt into tokens.

        Args:
            prompt: Messages, tools and the opening of the assistant's turn.
            splits_tail: Leave the continuation's last line in `tail`.
        """
        cut = self._tail_start(prompt.continuation) if splits_tail else len(prompt.continuation)
        head, tail = prompt.continuation[:cut], prompt.continuation[cut:]
        segments = list(self._template.render_parts(prompt.messages, prompt.tools))
        segments.append(Segment(text=head, is_trusted=True))
        tokens = self._tokenize(segments)
        stable = common_prefix(self._stable_tokens(prompt), tokens)
        return EncodedPrompt(tokens=tokens, stable_tokens=stable, tail=tail)

    def _tail_start(self, continuation: str) -> int:
        ends = [match.end() for match in self._specials.finditer(continuation)]
        return max([continuation.rfind("\n") + 1, *ends])

    def _tokenize(self, segments: Sequence[Segment]) -> Tokens:
        tokens: list[int] = []
        for text, parse_special in self._runs(segments):
            tokens += self._model.tokenize(text, parse_special=parse_special)
        if self._model.adds_bos and tokens[:1] != [self._model.bos]:
            tokens.insert(0, self._model.bos)
        return np.asarray(tokens, dtype=np.int32)

    def _runs(self, segments: Sequence[Segment]) -> list[tuple[str, bool]]:
        """Join segments that need no separation.

        Text that holds no control token's spelling is tokenized together with its surroundings, as
        in training; text that does is tokenized alone, with that spelling read as plain text.
        """
        runs: list[tuple[str, bool]] = []
        for segment in segments:
            is_hostile = not segment.is_trusted and self._specials.search(segment.text) is not None
            if runs and runs[-1][1] and not is_hostile:
                runs[-1] = (runs[-1][0] + segment.text, True)
            else:
                runs.append((segment.text, not is_hostile))
        return runs

    def _stable_tokens(self, prompt: Prompt) -> Tokens:
        leading = tuple(message for message in prompt.messages[:1] if message.role == "system")
        key = (leading, prompt.tools)
        if self._stable is None or self._stable[0] != key:
            text = self._template.stable_prefix(prompt.messages, prompt.tools)
            segment = Segment(text=text, is_trusted=True)
            self._stable = (key, self._tokenize([segment]))
        return self._stable[1]


def _special_pattern(model: Model) -> re.Pattern[str]:
    texts = sorted(model.special_texts(), key=len, reverse=True)
    return re.compile("|".join(re.escape(text) for text in texts)) if texts else re.compile(r"(?!)")
