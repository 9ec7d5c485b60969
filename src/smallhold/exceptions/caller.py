"""Errors that the caller's request or code must mend: this file holds them."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.exceptions.root import SmallholdError


class CallerError(SmallholdError):
    """The request, or the code that made it, must change."""


class ConfigError(CallerError):
    """A setting has a value that cannot be used."""

    def __init__(self, *, field: str, value: object, remedy: str) -> None:
        self.field = field
        self.value = value
        self.remedy = remedy
        super().__init__(f"{field} = {value!r} cannot be used: {remedy}")


class InvalidMessageError(CallerError):
    """A user's message is empty or too long to be meant."""

    def __init__(self, *, problem: str, length_chars: int, limit_chars: int) -> None:
        self.problem = problem
        self.length_chars = length_chars
        self.limit_chars = limit_chars
        super().__init__(
            f"The message {problem} "
            f"({length_chars:,} characters; allowed are 1 to {limit_chars:,}). "
            "Send the text the agent is to answer, shortened or in parts."
        )


class SessionBusyError(CallerError):
    """A session takes one message at a time."""

    def __init__(self, *, session: str) -> None:
        self.session = session
        super().__init__(
            f"The session {session!r} is answering another message. "
            "Wait for its answer, or use another session."
        )


class ContextOverflowError(CallerError):
    """The prompt and the room for an answer do not fit the context window; nothing was cut."""

    def __init__(self, *, prompt_tokens: int, limit_tokens: int) -> None:
        self.prompt_tokens = prompt_tokens
        self.limit_tokens = limit_tokens
        super().__init__(
            f"The prompt has {prompt_tokens:,} tokens, the context window {limit_tokens:,}. "
            "Shorten the conversation or the tools' descriptions, or load the model with a larger "
            "`context_tokens`."
        )


class PartOverflowError(ContextOverflowError):
    """A part of the prompt that is never shortened leaves no room for the rest."""

    def __init__(
        self, *, part: str, part_tokens: int, room_tokens: int, context_tokens: int, remedy: str
    ) -> None:
        super().__init__(prompt_tokens=part_tokens, limit_tokens=room_tokens)
        self.part = part
        """`instructions`, `tools`, `examples` or `message`."""
        self.part_tokens = part_tokens
        self.room_tokens = room_tokens
        """What its budget, or the prompt's other parts and the answer, leave for it."""
        self.context_tokens = context_tokens
        self.remedy = remedy
        text = (
            f"Too long for a context window of {context_tokens:,} tokens: the prompt's {part}, "
            f"{part_tokens:,} tokens where {room_tokens:,} are left. {remedy}"
        )
        self.args = (text,)


class ToolDefinitionError(CallerError):
    """A function cannot be turned into a tool."""

    def __init__(self, *, tool: str, parameter: str | None, problem: str, remedy: str) -> None:
        self.tool = tool
        self.parameter = parameter
        self.problem = problem
        self.remedy = remedy
        place = f"Tool {tool!r}" if parameter is None else f"Tool {tool!r}, parameter {parameter!r}"
        super().__init__(f"{place}: {problem}. {remedy}")


class UnsupportedSchemaError(CallerError):
    """A schema or grammar cannot be enforced, so it is refused before any decoding."""

    def __init__(self, *, subject: str, detail: str) -> None:
        self.subject = subject
        self.detail = detail
        super().__init__(
            f"{subject} cannot be expressed as a grammar: {detail}. "
            "Simplify the schema; an unconstrained answer is never given instead."
        )


class ChatTemplateError(CallerError):
    """A model's chat template failed, or asked for more than the sandbox allows."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The model's chat template {problem}. "
            "Check the messages' order and roles, or give the model another template."
        )


class UnknownModelError(CallerError):
    """No model of this alias is in the catalog."""

    def __init__(self, *, alias: str, near: Sequence[str], known: Sequence[str]) -> None:
        self.alias = alias
        self.near = tuple(near)
        self.known = tuple(known)
        hint = f"Did you mean {' or '.join(self.near)}?" if self.near else ""
        listing = f"Known aliases: {', '.join(self.known)}." if not self.near else ""
        super().__init__(
            f"No model {alias!r} in the catalog. {hint}{listing} "
            "`smallhold models list` shows all of them."
        )


class UnknownVariantError(CallerError):
    """The catalog has the model, but not in this quantization."""

    def __init__(self, *, alias: str, variant: str, known: Sequence[str]) -> None:
        self.alias = alias
        self.variant = variant
        self.known = tuple(known)
        references = ", ".join(f"{alias}:{name}" for name in self.known)
        super().__init__(
            f"The model {alias!r} has no variant {variant!r} in the catalog. It has {references}."
        )


class UnknownNeedError(CallerError):
    """What a model is wanted for is not understood, or no model is for it."""

    def __init__(self, *, need: str, problem: str, near: Sequence[str] = ()) -> None:
        self.need = need
        self.problem = problem
        self.near = tuple(near)
        hint = f" Did you mean {' or '.join(self.near)}?" if self.near else ""
        super().__init__(
            f"No model for {need!r}: {problem}.{hint} Name an alias of `smallhold models list`, "
            "or a need such as 'routing', 'code' or 'the best that fits 4GB'."
        )


class BudgetTooSmallError(CallerError):
    """Not even the smallest file that would do fits the memory that may be used."""

    def __init__(
        self,
        *,
        need: str,
        budget_bytes: int,
        smallest: str,
        needed_bytes: int,
        fitting: Sequence[str] = (),
    ) -> None:
        self.need = need
        self.budget_bytes = budget_bytes
        self.smallest = smallest
        """The file that needs the least."""
        self.needed_bytes = needed_bytes
        self.fitting = tuple(fitting)
        """Other files that would fit, the most capable first."""
        instead = f" What fits: {', '.join(self.fitting)}." if self.fitting else ""
        super().__init__(
            f"{need!r} needs at least {needed_bytes / 1e6:,.0f} MB of memory ({smallest}); "
            f"{budget_bytes / 1e6:,.0f} MB may be used.{instead} Allow more memory, a shorter "
            "context or another model."
        )


class UnknownQuantizationError(CallerError):
    """The engine cannot write files of this quantization."""

    def __init__(self, *, quantization: str, known: Sequence[str]) -> None:
        self.quantization = quantization
        self.known = tuple(known)
        super().__init__(
            f"No quantization is called {quantization!r}. Choose one of {', '.join(self.known)}."
        )


class AlreadyQuantizedError(CallerError):
    """The source of a quantization has lost precision before."""

    def __init__(self, *, source: str, quantization: str, target: str) -> None:
        self.source = source
        self.quantization = quantization
        self.target = target
        super().__init__(
            f"{source} is quantized already ({quantization}); {target} made of it is worse than "
            f"{target} made of the original, and no better than {quantization} in any case. "
            "Take an F16, BF16 or F32 file, or allow it with --allow-requantize."
        )


class UnsupportedFeatureError(CallerError):
    """The chosen runtime cannot do what the request needs."""

    def __init__(self, *, runtime: str, feature: str, remedy: str) -> None:
        self.runtime = runtime
        self.feature = feature
        self.remedy = remedy
        super().__init__(f"The runtime {runtime!r} does not offer {feature}. {remedy}")


class UnknownAdapterError(CallerError):
    """A prompt names a LoRA adapter that the model was loaded without."""

    def __init__(self, *, adapter: str, known: Sequence[str]) -> None:
        self.adapter = adapter
        self.known = tuple(known)
        listing = f"It has {', '.join(self.known)}." if self.known else "It has none."
        super().__init__(
            f"The model was loaded without an adapter {adapter!r}. {listing} "
            "Name its GGUF file in `adapters` of the model's settings."
        )


class DatasetError(CallerError):
    """A row of an evaluation file cannot be read."""

    def __init__(self, *, file: str, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        """Number of the row's line, from 1."""
        self.problem = problem
        super().__init__(
            f"{file}, line {line}: {problem}. Convert the data again, or correct the row."
        )
