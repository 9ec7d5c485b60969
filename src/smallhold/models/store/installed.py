"""Models that can be used without fetching them: this file holds the `InstalledModel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError, ModelNotInstalledError
from smallhold.models.catalog.catalog import reference as reference_of
from smallhold.models.store.file_stamp import FileStamp
from smallhold.models.store.layout import StoreLayout
from smallhold.models.store.marks import StoreMarks
from smallhold.models.store.record import StoreRecord

_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model that can be used without fetching it."""

    alias: str
    sha256: str
    size_bytes: int
    path: Path
    quantization: str
    source: str
    """Name of the source that delivered it; empty when another model had fetched its file."""
    is_verified: bool
    """Whether its sha256 was known before it arrived."""
    is_in_place: bool = False
    """Whether the file belongs to another program and is used where it lies."""
    is_pinned: bool = False
    last_used_s: float = 0.0
    """Seconds since the epoch; when it arrived, where it was never used."""

    @property
    def reference(self) -> str:
        """The one name of the model's file, such as `smollm2-135m:q4_k_m`."""
        return reference_of(self.alias, self.quantization)


def installed_model(
    record: StoreRecord, *, layout: StoreLayout, marks: StoreMarks
) -> InstalledModel | None:
    """What a record speaks of, or `None` when its file is gone or was changed."""
    path, is_in_place = layout.blob(record.sha256), False
    stamp = FileStamp.of(path)
    if stamp is None:
        if record.place is None or record.place.difference is not None:
            return None
        path, stamp, is_in_place = Path(record.place.path), record.place.stamp, True
    last_used_s = marks.last_used_s(record.sha256)
    return InstalledModel(
        alias=record.alias,
        sha256=record.sha256,
        size_bytes=stamp.size_bytes,
        path=path,
        quantization=record.quantization,
        source=record.source,
        is_verified=record.is_verified,
        is_in_place=is_in_place,
        is_pinned=marks.is_pinned(record.reference),
        last_used_s=stamp.mtime_ns / _NANOSECONDS if last_used_s is None else last_used_s,
    )


def model_named(name: str, models: Sequence[InstalledModel]) -> InstalledModel:
    """The one of these models that an alias or a reference means.

    Raises:
        ModelNotInstalledError: There is none.
        ConfigError: The alias has several files here; the error lists them.
    """
    found = [model for model in models if model.reference == name.lower()]
    found = found or [model for model in models if model.alias == name]
    if not found:
        raise ModelNotInstalledError(alias=name)
    if len(found) > 1:
        references = ", ".join(model.reference for model in found)
        remedy = f"several of its files are here; name one of {references}"
        raise ConfigError(field="model", value=name, remedy=remedy)
    return found[0]
