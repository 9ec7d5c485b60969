"""The files that are a store's own: this file holds the `StoreBlobs`.

Whoever deletes holds the store's mutex, so that no record is written meanwhile, and the file's
sole lease, so that nobody has it loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from smallhold.exceptions import ModelChangedError, ModelInUseError
from smallhold.models.pulling.partial_file import PartialFile
from smallhold.models.store.blob_lease import is_leased, shared_lease, sole_lease
from smallhold.models.store.installed import InstalledModel
from smallhold.models.store.layout import StoreLayout
from smallhold.models.store.marks import StoreMarks
from smallhold.models.store.records import StoreRecords
from smallhold.models.store.trimming import StoredBlob

_LOG = logging.getLogger(__name__)


class StoreBlobs:
    """The blobs of one store, with who uses them."""

    def __init__(self, layout: StoreLayout, *, records: StoreRecords, marks: StoreMarks) -> None:
        self._layout = layout
        self._records = records
        self._marks = marks

    def digest_at(self, path: Path) -> str | None:
        """The digest in the name of one of these files; `None` for a file elsewhere."""
        blobs = self._layout.folder("blobs")
        is_inside = path.parent.resolve() == blobs.resolve()
        return self._layout.digest_of(blobs / path.name) if is_inside else None

    def without_record(self) -> tuple[Path, ...]:
        """Files that no record speaks of, not even one that makes no sense to us."""
        known = {record.sha256 for record in self._records.all().values()}
        known = known.union(*self._records.unreadable().values())
        files = sorted(self._layout.folder("blobs").glob("*"))
        digests = {path: self._layout.digest_of(path) for path in files}
        return tuple(path for path, sha256 in digests.items() if sha256 and sha256 not in known)

    @contextmanager
    def in_use(self, path: Path) -> Generator[None]:
        """Keep a file from being evicted while it is loaded; a file elsewhere needs no such thing.

        Raises:
            ModelChangedError: The file was evicted between finding and loading it.
        """
        sha256 = self.digest_at(path)
        with ExitStack() as stack:
            if sha256 is not None:
                try:
                    stack.enter_context(shared_lease(path))
                except FileNotFoundError as error:
                    raise ModelChangedError(
                        alias=self._name_of(sha256), path=str(path), problem="is gone"
                    ) from error
                self._marks.touch(sha256)
                # Who loads for a day has used the model at the end of it.
                stack.callback(self._marks.touch, sha256)
            yield

    def states(self, models: Sequence[InstalledModel]) -> tuple[StoredBlob, ...]:
        """Each file once, with all that decides on its eviction."""
        by_digest: dict[str, list[InstalledModel]] = {}
        for model in models:
            if not model.is_in_place:
                by_digest.setdefault(model.sha256, []).append(model)
        return tuple(
            StoredBlob(
                sha256=sha256,
                size_bytes=twins[0].size_bytes,
                last_used_s=twins[0].last_used_s,
                references=tuple(model.reference for model in twins),
                is_pinned=any(model.is_pinned for model in twins),
                is_loaded=is_leased(twins[0].path),
            )
            for sha256, twins in by_digest.items()
        )

    def evict(self, blob: StoredBlob) -> bool:
        """Delete a file with its records, unless somebody has just begun to use it."""
        path = self._layout.blob(blob.sha256)
        if not self._delete(path):
            return False
        for record in self._records.all().values():
            if record.reference in blob.references:
                self._records.drop(record)
        self._marks.forget_use(blob.sha256)
        extra = {"references": blob.references, "size_bytes": blob.size_bytes}
        _LOG.info("store.evicted", extra=extra)
        return True

    def remove(self, model: InstalledModel) -> int:
        """Delete a model's file unless it lies elsewhere or another model needs it.

        Returns:
            The bytes freed.

        Raises:
            ModelInUseError: Somebody uses it.
        """
        twins = [
            record
            for record in self._records.all().values()
            if record.sha256 == model.sha256 and record.reference != model.reference
        ]
        if model.is_in_place or twins:
            return 0
        if not self._delete(model.path):
            raise ModelInUseError(alias=model.reference, path=str(model.path))
        self._marks.forget_use(model.sha256)
        return model.size_bytes

    def put(self, partial: PartialFile, target: Path) -> None:
        """Give an arrival its name, unless the same bytes have it already and are used."""
        if not target.exists():
            partial.promote(target)
            return
        # A lease is on the file, not on its name: whoever took one on the old file while the new
        # one takes its name would see that evicted.
        with sole_lease(target) as is_free:
            if is_free:
                partial.promote(target)
            else:
                partial.discard()

    def discard(self, path: Path) -> int:
        """Delete a file that no record speaks of; returns the bytes freed, 0 when it is used."""
        size_bytes = path.stat().st_size
        return size_bytes if self._delete(path) else 0

    def set_aside(self, sha256: str) -> None:
        """Take a file out of the way that is not what its name says, with its records."""
        path, target = self._layout.blob(sha256), self._layout.damaged(sha256)
        if path.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        for record in self._records.all().values():
            if record.sha256 == sha256:
                self._records.drop(record)

    def _delete(self, path: Path) -> bool:
        with sole_lease(path) as is_free:
            if is_free:
                path.unlink()
        return is_free

    def _name_of(self, sha256: str) -> str:
        records = self._records.all().values()
        return next((record.reference for record in records if record.sha256 == sha256), sha256)
