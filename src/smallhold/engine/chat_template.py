"""From a conversation to a prompt: this file holds the renderer of a model's chat template.

Chat templates come out of downloaded files and are programs (CVE-2024-34359, CVE-2026-5760), so
they run in `ChatSandbox` under `TemplateLimits`. Messages come from anybody and may hold the text
of control tokens, so the renderer says of each stretch of the prompt whether the template wrote
it: only such stretches may be tokenized with control tokens parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from jinja2 import TemplateError

from smallhold.engine.template_budget import Budget, Rendering, TemplateLimits, current, entered
from smallhold.engine.template_features import detect_features, tests_for
from smallhold.engine.template_messages import TemplateFeatures, build_input
from smallhold.engine.template_sandbox import ChatSandbox, compiled, for_templates
from smallhold.engine.template_text import MarkedText, Segment, concatenate
from smallhold.exceptions import ChatTemplateError
from smallhold.messages import JsonValue, Message, Role, ToolCall, ToolSchema

_MAX_REASON_CHARS = 200

_FOREIGN_ERRORS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a wrong or hostile template makes Python raise while it is compiled or run."""


class ChatTemplate:
    """One model's chat template.

    Compiled once; may be used from several threads. The same arguments always give the same text.
    """

    def __init__(
        self,
        source: str,
        *,
        bos_token: str,
        eos_token: str,
        today: date | None = None,
        variables: Mapping[str, JsonValue] | None = None,
        limits: TemplateLimits | None = None,
    ) -> None:
        """Check and compile a template, and find out what it understands.

        Args:
            source: Jinja source, such as the metadata field `tokenizer.chat_template` of a GGUF
                file.
            bos_token: Text of the token that begins a sequence.
            eos_token: Text of the token that ends a turn.
            today: The date for templates that print one. Without it they print their own fallback,
                and those without a fallback fail. Never the clock, since prompts are byte-stable.
            variables: More variables of the template, such as `enable_thinking`.
            limits: What one rendering may cost.

        Raises:
            ChatTemplateError: The source is malformed, too large or uses what is not allowed.
        """
        self._limits = limits or TemplateLimits()
        self._sandbox = ChatSandbox()
        with _translated():
            tree = self._sandbox.checked(source, limits=self._limits)
            self._variables: dict[str, object] = {
                "documents": None,
                **(variables or {}),
                "bos_token": bos_token,
                "eos_token": eos_token,
                "raise_exception": _raise_exception,
            }
            if today is not None or not tests_for(tree, "strftime_now"):
                self._variables["strftime_now"] = _strftime(today)
            self._template = compiled(self._sandbox, tree)
            budget = Budget(self._limits)
            self._features = detect_features(tree, self._trial_within(budget))

    @property
    def features(self) -> TemplateFeatures:
        """What the template understands; the rest is written as text."""
        return self._features

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        add_generation_prompt: bool = True,
    ) -> str:
        """The prompt as one text.

        Raises:
            ChatTemplateError: The template refused the messages or exceeded its limits.
        """
        buffer = self._rendered(messages, tools, add_generation_prompt=add_generation_prompt)
        return buffer.plain

    def render_parts(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        add_generation_prompt: bool = True,
    ) -> list[Segment]:
        """The prompt in stretches of one author; joined they are `render` of the same arguments.

        Raises:
            ChatTemplateError: The template refused the messages or exceeded its limits.
        """
        buffer = self._rendered(messages, tools, add_generation_prompt=add_generation_prompt)
        return buffer.marks.segments(buffer)

    def stable_prefix(self, messages: Sequence[Message], tools: Sequence[ToolSchema]) -> str:
        """The prompt's beginning that depends on the leading system messages and tools alone.

        Every conversation with the same ones renders to a text that starts with it.
        """
        return "".join(part.text for part in self.stable_parts(messages, tools))

    def stable_parts(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema]
    ) -> list[Segment]:
        """`stable_prefix` in stretches of one author.

        Found by rendering a handful of conversations, so a caller who asks often should remember
        the answer for its system messages and tools.
        """
        head = _leading_system(messages)
        budget = Budget(self._limits)
        trial = self._trial_within(budget)
        texts: list[str] = []
        for tail in _PROBE_TAILS:
            try:
                texts.append(trial((*head, *tail), tools, self._features))
            except ChatTemplateError:
                continue  # Not every template takes every order of roles.
        if len(texts) < _ENOUGH_PROBES:
            return []
        parts = self.render_parts((*head, *_PROBE_TAILS[0]), tools)
        return list(_cut(parts, chars=_shared_chars(texts)))

    def _trial_within(
        self, budget: Budget
    ) -> Callable[[Sequence[Message], Sequence[ToolSchema], TemplateFeatures], str]:
        """A renderer for probes that share one budget, so that ten slow ones cost as one."""

        def trial(
            messages: Sequence[Message], tools: Sequence[ToolSchema], features: TemplateFeatures
        ) -> str:
            rendering = Rendering(budget=budget)
            return self._run(rendering, messages, tools, features=features).plain

        return trial

    def _rendered(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        add_generation_prompt: bool,
    ) -> MarkedText:
        return self._run(
            Rendering(budget=Budget(self._limits)),
            messages,
            tools,
            features=self._features,
            add_generation_prompt=add_generation_prompt,
        )

    def _run(
        self,
        rendering: Rendering,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        features: TemplateFeatures,
        add_generation_prompt: bool = True,
    ) -> MarkedText:
        with entered(rendering), _translated():
            given = build_input(messages, tools, features=features, marks=rendering.marks)
            stream = self._template.generate({
                **self._variables,
                "messages": given.messages,
                "tools": given.tools,
                "add_generation_prompt": add_generation_prompt,
            })
            return concatenate(_capped(stream), rendering.marks)


_ANSWERED = (
    Message(role=Role.USER, content="b"),
    Message(role=Role.ASSISTANT, content="c"),
    Message(role=Role.USER, content="d"),
)
_PROBE_CALL = ToolCall(id="probe", name="e", arguments={"f": "g"})
_CALLED = (
    Message(role=Role.USER, content="h"),
    Message(role=Role.ASSISTANT, content="", tool_calls=(_PROBE_CALL,)),
    Message(role=Role.TOOL, content="i", tool_call_id="probe"),
)
_PROBE_TAILS = (
    (Message(role=Role.USER, content="a"),),
    (Message(role=Role.USER, content=""),),
    (Message(role=Role.USER, content=" j"),),
    _ANSWERED,
    _CALLED,
)
"""Ways for a conversation to go on; they differ from the first character of the user's text."""
_ENOUGH_PROBES = 2


def _leading_system(messages: Sequence[Message]) -> Sequence[Message]:
    for number, message in enumerate(messages):
        if message.role is not Role.SYSTEM:
            return messages[:number]
    return messages


def _shared_chars(texts: Sequence[str]) -> int:
    """How many characters all texts begin with in common."""
    lowest, highest = min(texts), max(texts)
    pairs = zip(lowest, highest, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), len(lowest))


def _cut(parts: Sequence[Segment], *, chars: int) -> Iterator[Segment]:
    """The first `chars` characters of the parts."""
    for part in parts:
        text = part.text[:chars]
        chars -= len(text)
        if text:
            yield Segment(text=text, is_trusted=part.is_trusted)


def _capped(stream: Iterator[str]) -> Iterator[str]:
    """Hand the output on, counted while it comes."""
    budget = current().budget
    chars = 0
    for text in stream:
        chars += len(text)
        budget.fits(chars)
        yield text


@contextmanager
def _translated() -> Generator[None]:
    """Turn whatever a template makes Python raise into the one error for it."""
    try:
        yield
    except _FOREIGN_ERRORS as error:
        reason = f"{type(error).__name__}: {error}"[:_MAX_REASON_CHARS]
        raise ChatTemplateError(problem=f"failed ({reason})") from error


@for_templates
def _raise_exception(message: object = "") -> None:
    reason = str(message)[:_MAX_REASON_CHARS]
    raise ChatTemplateError(problem=f"refused the messages: {current().marks.plain(reason)}")


def _strftime(today: date | None) -> Callable[..., object]:
    def strftime_now(pattern: str) -> str:
        if today is None:
            raise ChatTemplateError(problem="prints the date, and none was given as `today`")
        return today.strftime(current().marks.plain(pattern))

    return for_templates(strftime_now)
