"""From an archive to the store: this file holds the import of models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError, InvalidArchiveError, UnsignedModelError
from smallhold.models.archives.manifest import ArchivedFile
from smallhold.models.archives.reading import ArchiveReader
from smallhold.models.catalog.catalog import Catalog, CatalogModel, CatalogVariant, ModelFormat
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.pulling.partial_file import PartialFile, PartialNotes
from smallhold.models.store.file_digest import ReportBytes, ignore_bytes
from smallhold.models.store.store import ModelStore

_SOURCE: Final = "archive"


class ImportAction(StrEnum):
    """What happens to a file of an archive."""

    COPIED = "copied"
    SKIPPED = "skipped"
    """It is in the store already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStep:
    """One file of an archive, and what happens to it."""

    file: ArchivedFile
    action: ImportAction
    is_new: bool
    """Whether the catalog here does not know it, so that it is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What an import does, in the archive's order."""

    steps: tuple[ImportStep, ...]

    @property
    def copied_bytes(self) -> int:
        """Bytes that the store grows by."""
        sizes = {
            step.file.sha256: step.file.size_bytes
            for step in self.steps
            if step.action is ImportAction.COPIED
        }
        return sum(sizes.values())


def vouch_for_all(model: CatalogModel) -> str | None:
    """Accept every model."""
    del model
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTarget:
    """Where models of an archive go."""

    store: ModelStore
    known: Catalog
    add_model: Callable[[CatalogModel], object]
    """Adds a model to the catalog, or replaces the one of that alias."""
    refusal: Callable[[CatalogModel], str | None] = vouch_for_all
    """Says why a model that the catalog does not know may not be added; `None`: it may."""


def plan_import(path: Path, *, target: ImportTarget, only: Sequence[str] = ()) -> ImportPlan:
    """Find out what an import would do; of the archive, only its manifest is read.

    Args:
        path: The archive, or its first part.
        target: Where the models would go.
        only: References or aliases to import; all of the archive when there are none.

    Raises:
        ConfigError: There is no such archive, or nothing of that name in it.
        InvalidArchiveError: It is no archive, or not whole, or has another file under a name that
            the catalog here knows.
        UnsignedModelError: A model that is unknown here is not signed as it must be.
    """
    with ArchiveReader(path) as reader:
        return _plan(reader, path=path, target=target, only=only)


def import_models(
    path: Path,
    *,
    target: ImportTarget,
    only: Sequence[str] = (),
    report: ReportBytes = ignore_bytes,
) -> ImportPlan:
    """Copy the models of an archive into the store, each hashed on the way.

    What is in the store already is passed over, so an import that was interrupted is finished by
    running it again. A model is in the store whole and right, or not at all.

    Args:
        path: The archive, or its first part.
        target: Where the models go.
        only: References or aliases to import; all of the archive when there are none.
        report: Told how far it has come; what it raises ends the work.

    Returns:
        What was done.

    Raises:
        ConfigError: As of `plan_import`.
        InvalidArchiveError: As of `plan_import`, or a file in it was changed. Models before it are
            in the store.
        InvalidGGUFError: A model that was not known beforehand is no sound GGUF file.
        UnsignedModelError: As of `plan_import`.
        StoreBusyError: Another process has been fetching one of the models for too long.
        StoreFullError: The disk has no room for what is to be copied.
        StoreNotWritableError: The store's folder is read-only.
    """
    with ArchiveReader(path) as reader:
        plan = _plan(reader, path=path, target=target, only=only)
        target.store.require_room(plan.copied_bytes)
        _Import(reader=reader, target=target, plan=plan, report=report).run()
    return plan


def with_variant(model: CatalogModel, variant: CatalogVariant) -> CatalogModel:
    """A model with one of its files added or replaced."""
    names = [item.quantization for item in model.variants]
    if variant.quantization not in names:
        return replace(model, variants=(*model.variants, variant))
    number = names.index(variant.quantization)
    variants = (*model.variants[:number], variant, *model.variants[number + 1 :])
    return replace(model, variants=variants)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """One import under way."""

    reader: ArchiveReader
    target: ImportTarget
    plan: ImportPlan
    report: ReportBytes

    def run(self) -> None:
        models = dict(self.target.known.models)
        files = {file.sha256: file for file in reversed(self.reader.manifest.files)}
        done_bytes = 0
        for member in self.reader.manifest.members:
            file = next(file for file in files.values() if file.member == member)
            steps = [step for step in self.plan.steps if step.file.sha256 == file.sha256]
            if any(step.action is ImportAction.COPIED for step in steps):
                self._copy(steps[0], done_bytes=done_bytes)
                done_bytes += file.size_bytes
            else:
                self.reader.skip(file)
            for step in steps:
                self.target.store.adopt(step.file.known_entry)
                if step.is_new:
                    alias = step.file.entry.alias
                    models[alias] = enlarged(models.get(alias), step.file)
                    self.target.add_model(models[alias])

    def _copy(self, step: ImportStep, *, done_bytes: int) -> None:
        file, store = step.file, self.target.store
        key = f"import-{file.sha256}"
        partial = PartialFile(store.layout.partial(key))
        total_bytes = self.plan.copied_bytes

        def write(data: bytes) -> None:
            nonlocal done_bytes
            partial.append(data)
            done_bytes += len(data)
            self.report(done_bytes, total_bytes)

        with store.translated_errors(needed_bytes=total_bytes), store.guard.waiting(key):
            if store.adopt(file.known_entry) is not None:
                # Another process brought it in the meantime.
                self.reader.skip(file)
                return
            partial.restart(PartialNotes(source=_SOURCE))
            try:
                self.reader.copy(file, write=write)
                if step.is_new and file.entry.format is ModelFormat.GGUF:
                    # Nobody but the archive says what this is.
                    read_gguf_header(partial.path)
                store.publish(file.known_entry, partial, sha256=file.sha256, source=_SOURCE)
            finally:
                partial.discard()


def enlarged(model: CatalogModel | None, file: ArchivedFile) -> CatalogModel:
    """The model of the catalog here, or of the archive where there is none, with a file added."""
    variant = next(
        variant
        for variant in file.model.variants
        if variant.quantization == file.entry.quantization
    )
    known = replace(variant, sha256=file.sha256, size_bytes=file.size_bytes)
    return with_variant(model or file.model, known)


def _plan(
    reader: ArchiveReader, *, path: Path, target: ImportTarget, only: Sequence[str]
) -> ImportPlan:
    files = reader.manifest.files
    names = {name.lower() for name in only}
    missing = names - {name for file in files for name in _names(file)}
    if missing:
        held = ", ".join(file.entry.reference for file in files)
        raise ConfigError(
            field="model to import", value=min(missing), remedy=f"the archive has {held}"
        )
    wanted = [file for file in files if not names or names.intersection(_names(file))]
    return ImportPlan(steps=tuple(_step(file, path=path, target=target) for file in wanted))


def _names(file: ArchivedFile) -> tuple[str, str]:
    return file.entry.alias, file.entry.reference


def _step(file: ArchivedFile, *, path: Path, target: ImportTarget) -> ImportStep:
    reference = file.entry.reference
    known = next((item for item in target.known.entries if item.reference == reference), None)
    if known is None:
        model = enlarged(target.known.models.get(file.entry.alias), file)
        reason = target.refusal(model)
        if reason is not None:
            raise UnsignedModelError(alias=reference, reason=reason)
    elif known.sha256 not in {None, file.sha256}:
        problem = f"its {reference} is another file than the one that the catalog here knows"
        raise InvalidArchiveError(path=str(path), problem=problem)
    is_here = target.store.holds(file.known_entry)
    action = ImportAction.SKIPPED if is_here else ImportAction.COPIED
    return ImportStep(file=file, action=action, is_new=known is None)
