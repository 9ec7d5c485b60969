"""Errors of the engine and the machine: this file holds them."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.exceptions.root import SmallholdError


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


class MemoryRefusedError(EngineError):
    """A model cannot be loaded into the memory that there is for models, whatever is unloaded."""

    def __init__(
        self,
        *,
        model: str,
        needed_bytes: int,
        budget_bytes: int,
        is_limited: bool,
        pinned: Sequence[str] = (),
    ) -> None:
        """Make the error.

        Args:
            model: Name of the model.
            needed_bytes: What it takes once it is loaded, by estimate and measurement.
            budget_bytes: What all models may take together.
            is_limited: Whether `max_memory_usage` says so, rather than what the machine has free.
            pinned: Names of the models that are pinned and hold a part of it.
        """
        self.model = model
        self.needed_bytes = needed_bytes
        self.budget_bytes = budget_bytes
        self.is_limited = is_limited
        self.pinned = tuple(pinned)
        holders = f" Of that, pinned models hold a part: {', '.join(pinned)}." if pinned else ""
        budget = f"{max(0, budget_bytes) / 1e9:.2f} GB"
        limit = f"`max_memory_usage` allows {budget}" if is_limited else f"{budget} is free for it"
        remedy = "raise `max_memory_usage`" if is_limited else "end other programs"
        super().__init__(
            f"The model {model!r} needs {needed_bytes / 1e9:.2f} GB of memory, but {limit}."
            f"{holders} Choose a smaller model, quantization or `context_tokens`, or {remedy}."
        )


class QuantizingError(EngineError):
    """The engine could not write a quantized file; what it wrote is gone."""

    def __init__(self, *, source: str, problem: str) -> None:
        self.source = source
        self.problem = problem
        super().__init__(
            f"{source} could not be quantized: {problem}. "
            "Check the file and the room on the disk, or choose another quantization."
        )


class DecodeError(EngineError):
    """A forward pass failed inside llama.cpp."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(f"The model could not be evaluated: {problem}")
