"""The one exception tree of Smallhold: this file holds every error that the package raises.

Branches are drawn by who can act::

    SmallholdError
    ├── CallerError                  the caller's request or code must change
    │   ├── ConfigError              a setting has a bad value
    │   ├── InvalidMessageError      an empty or far too long message
    │   ├── SessionBusyError         the session is answering another message
    │   ├── ContextOverflowError     the prompt does not fit the context window
    │   │   └── PartOverflowError    a part of it that cannot be shortened is why
    │   ├── ToolDefinitionError      a tool cannot be described to a model
    │   ├── UnsupportedSchemaError   a JSON Schema that the grammar cannot express
    │   ├── ChatTemplateError        a chat template failed or exceeded its limits
    │   ├── UnknownModelError        no such alias in the catalog
    │   ├── UnsupportedFeatureError  the chosen runtime cannot do what was asked
    │   ├── UnknownAdapterError      the model was loaded without this LoRA adapter
    │   └── DatasetError             an evaluation file is malformed
    ├── ModelError                   the model's files must be mended or fetched
    │   ├── CatalogError             the catalog file is malformed
    │   ├── ModelNotInstalledError   the model is not in the store and may not be fetched
    │   ├── InvalidGGUFError         a file is not a sound GGUF file
    │   ├── InvalidWeightsError      a file is not a sound safetensors file of the model
    │   ├── CorruptDownloadError     bytes arrived with the wrong size or sha256
    │   ├── SourceUnavailableError   one source could not deliver
    │   ├── SourcesExhaustedError    every source failed
    │   ├── StoreFullError           not enough room on the disk
    │   ├── StoreBusyError           another process holds the lock for too long
    │   └── StoreNotWritableError    the store's folder cannot be written
    ├── EngineError                  the machine or the engine must be mended
    │   ├── EngineNotInstalledError  the engine's build is missing
    │   ├── CompilerMissingError     no C++ compiler to build the engine with
    │   ├── EngineBuildError         the compiler ran and failed
    │   ├── ModelLoadError           llama.cpp refused the model
    │   ├── WorkerDiedError          the engine's process ended in the middle of a request
    │   │   ├── WorkerHungError      it did not compute one token in time, and was ended
    │   │   └── WorkerMemoryError    it could not get the memory it needed, and ended
    │   ├── QueueFullError           as many requests wait as may
    │   └── DecodeError              a forward pass failed
    └── RunError                     a run ended without an answer
        ├── DeadlineExceededError    the request's time was up
        ├── ModelOutputError         a runtime's output broke its own contract
        │   └── InvalidOutputError   an answer is not of the type that was asked for
        └── ScriptExhaustedError     a scripted runtime was asked for more than its script

Each class takes fields and builds its message: what happened, the limit, the actual value and the
next step.
"""

from __future__ import annotations

from collections.abc import Sequence


class SmallholdError(Exception):
    """Root of all errors that Smallhold raises on purpose."""


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


class ModelError(SmallholdError):
    """A model's files must be mended or fetched."""


class CatalogError(ModelError):
    """The catalog file is malformed."""

    def __init__(self, *, file: str, place: str, problem: str) -> None:
        self.file = file
        self.place = place
        self.problem = problem
        super().__init__(f"Catalog {file}, {place}: {problem}. Correct the entry and try again.")


class ModelNotInstalledError(ModelError):
    """The model is not in the store."""

    def __init__(self, *, alias: str) -> None:
        self.alias = alias
        super().__init__(
            f"The model {alias!r} is not on this machine. Run `smallhold pull {alias}`."
        )


class InvalidGGUFError(ModelError):
    """A file is truncated, hostile or not GGUF at all; no native code has seen it."""

    def __init__(self, *, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(
            f"{path} is not a sound GGUF file: {problem}. Fetch the file again; do not load it."
        )


class InvalidWeightsError(ModelError):
    """A file is truncated, hostile, not safetensors at all, or holds another model's weights."""

    def __init__(self, *, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(
            f"{path} does not hold sound weights: {problem}. Fetch the file again; do not load it."
        )


class CorruptDownloadError(ModelError):
    """Bytes that arrived are not the ones that the catalog promises; they were thrown away."""

    def __init__(self, *, source: str, expected: str, actual: str) -> None:
        self.source = source
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{source} delivered the wrong bytes: expected {expected}, got {actual}. "
            "They were thrown away; pull again, or use another source."
        )


class SourceUnavailableError(ModelError):
    """One source could not deliver a model; the next one is tried."""

    def __init__(self, *, source: str, reason: str) -> None:
        self.source = source
        self.reason = reason
        super().__init__(f"{source}: {reason}")


class SourcesExhaustedError(ModelError):
    """Every source of a model failed."""

    def __init__(self, *, alias: str, failures: Sequence[ModelError]) -> None:
        self.alias = alias
        self.failures = tuple(failures)
        lines = "".join(f"\n  - {failure}" for failure in self.failures)
        super().__init__(
            f"The model {alias!r} could not be fetched from any of its "
            f"{len(self.failures)} sources:{lines}\n"
            "Check the network and the disk and run the pull again; what arrived is kept."
        )


class StoreFullError(ModelError):
    """The disk has no room for the model."""

    def __init__(self, *, path: str, needed_bytes: int, free_bytes: int) -> None:
        self.path = path
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        super().__init__(
            f"The disk of {path} has {free_bytes / 1e6:,.0f} MB free, "
            f"{needed_bytes / 1e6:,.0f} MB are needed. Free some space or set SMALLHOLD_HOME to "
            "another disk; what arrived is kept and the pull resumes."
        )


class StoreBusyError(ModelError):
    """Another process has held the store's lock for longer than the caller would wait."""

    def __init__(self, *, lock: str, waited_s: float) -> None:
        self.lock = lock
        self.waited_s = waited_s
        super().__init__(
            f"Another process is fetching the same model (lock {lock}, waited {waited_s:.0f} s). "
            "Let it finish, then try again."
        )


class StoreNotWritableError(ModelError):
    """The store's folder cannot be written; models that are in it stay usable."""

    def __init__(self, *, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(
            f"The model store {path} cannot be written ({problem}). "
            "Change the folder's rights or set SMALLHOLD_HOME to another folder; "
            "models that are in it already can still be used."
        )


class EngineError(SmallholdError):
    """The machine or the engine must be mended."""


class EngineNotInstalledError(EngineError):
    """The engine's native part is not installed in this environment."""

    def __init__(self, *, missing: str) -> None:
        self.missing = missing
        super().__init__(
            f"The embedded engine is not installed ({missing} is missing). "
            "Run `pip install 'smallhold[engine]'` and `smallhold engine build`."
        )


class CompilerMissingError(EngineError):
    """No C++ compiler was found to build the engine with."""

    def __init__(self, *, looked_for: Sequence[str]) -> None:
        self.looked_for = tuple(looked_for)
        super().__init__(
            f"No C++ compiler was found (looked for {', '.join(self.looked_for)}). "
            "Install one, for example with `apt-get install g++`, `dnf install gcc-c++` or "
            "`xcode-select --install`, or set CXX to its path."
        )


class EngineBuildError(EngineError):
    """Building the engine failed."""

    def __init__(self, *, step: str, log: str, tail: str) -> None:
        self.step = step
        self.log = log
        self.tail = tail
        super().__init__(f"Building the engine failed at {step}. Full log: {log}\n{tail}")


class ModelLoadError(EngineError):
    """llama.cpp could not load the model."""

    def __init__(self, *, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"The model {path} could not be loaded: {problem}")


class WorkerDiedError(EngineError):
    """The engine's worker process ended before the request was answered."""

    def __init__(self, *, model: str, cause: str) -> None:
        self.model = model
        self.cause = cause
        super().__init__(
            f"The engine's worker for {model!r} ended in the middle of the request ({cause}). "
            "Send the request again: a new worker is started for it."
        )


class WorkerHungError(WorkerDiedError):
    """The worker did not compute one token in time, and was ended."""


class WorkerMemoryError(WorkerDiedError):
    """The worker could not get the memory it needed, and ended."""


class QueueFullError(EngineError):
    """As many requests wait for the model as may."""

    def __init__(self, *, limit: int, retry_after_s: float) -> None:
        self.limit = limit
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{limit} requests wait for the model already. "
            f"Try again in about {retry_after_s:.0f} s, or raise `queue_limit`."
        )


class DecodeError(EngineError):
    """A forward pass failed inside llama.cpp."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(f"The model could not be evaluated: {problem}")


class RunError(SmallholdError):
    """A run ended without an answer."""


class DeadlineExceededError(RunError):
    """The request's time was up."""

    def __init__(self, *, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(
            f"The request was not finished within {limit_s:g} s and was stopped. "
            "Raise `timeout`, shorten the prompt or choose a smaller model."
        )


class ModelOutputError(RunError):
    """A runtime returned something that its own contract rules out."""

    def __init__(self, *, runtime: str, problem: str) -> None:
        self.runtime = runtime
        self.problem = problem
        super().__init__(f"The runtime {runtime!r} returned an unusable reply: {problem}")


class InvalidOutputError(ModelOutputError):
    """A model's answer is not of the type that was asked for, also after it was told why."""

    def __init__(self, *, runtime: str, problem: str) -> None:
        super().__init__(runtime=runtime, problem=problem)
        message = (
            f"The model of {runtime!r} gave no answer of the type that was asked for: "
            f"{problem.rstrip('.')}. Simplify `output_type`, raise `max_tokens` or choose a larger "
            "model."
        )
        self.args = (message,)


class ScriptExhaustedError(RunError):
    """A `ScriptedRuntime` was asked for more than its script holds."""

    def __init__(self, *, asked_for: str, played: int) -> None:
        self.asked_for = asked_for
        self.played = played
        super().__init__(
            f"The script has no entry left for {asked_for} (it has played {played}). "
            "Add entries to `ScriptedRuntime`."
        )
