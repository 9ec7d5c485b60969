"""Errors that are mended by fetching or mending a model's files: this file holds them."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.exceptions.root import SmallholdError


class ModelError(SmallholdError):
    """A model's files must be mended or fetched."""


class CatalogError(ModelError):
    """The catalog file is malformed."""

    def __init__(self, *, file: str, place: str, problem: str) -> None:
        self.file = file
        self.place = place
        self.problem = problem
        super().__init__(f"Catalog {file}, {place}: {problem}. Correct the entry and try again.")


class UnsignedModelError(ModelError):
    """Only signed models may be used here, and nobody who may has signed this one."""

    def __init__(self, *, alias: str, reason: str) -> None:
        self.alias = alias
        self.reason = reason
        super().__init__(
            f"The model {alias!r} may not be used here: {reason}. SMALLHOLD_CATALOG_KEYS demands a "
            "signature; sign it with `smallhold models sign`, or choose a signed model."
        )


class ModelNotInstalledError(ModelError):
    """The model is not in the store."""

    def __init__(self, *, alias: str) -> None:
        self.alias = alias
        super().__init__(
            f"The model {alias!r} is not on this machine. Run `smallhold pull {alias}`."
        )


class ModelChangedError(ModelNotInstalledError):
    """The file of a model is not the one that was stored any more; its record was dropped."""

    def __init__(self, *, alias: str, path: str, problem: str) -> None:
        super().__init__(alias=alias)
        self.path = path
        self.problem = problem
        text = (
            f"The file of the model {alias!r} is not the one that was stored: {path} {problem}. "
            f"It will not be loaded. Run `smallhold pull {alias}`."
        )
        self.args = (text,)


class ModelInUseError(ModelError):
    """A process has the model loaded, so its file stays."""

    def __init__(self, *, alias: str, path: str) -> None:
        self.alias = alias
        self.path = path
        super().__init__(
            f"The model {alias!r} is loaded by some process on this machine, so {path} was left "
            "where it is. End that process, then try again."
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
            f"Another process is at work on the same model (lock {lock}, waited {waited_s:.0f} s). "
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


class InvalidArchiveError(ModelError):
    """An archive of models is cut short, changed, hostile or no archive at all."""

    def __init__(self, *, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(
            f"{path} cannot be imported: {problem}. Nothing of the model concerned was kept; "
            "export the models again."
        )


class ArchiveNotWritableError(ModelError):
    """An archive of models cannot be written where it should be; nothing of it was left there."""

    def __init__(self, *, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path} cannot be written: {problem}.")
