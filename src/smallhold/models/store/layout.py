"""Where everything in a model store lies: this file holds the `StoreLayout`.

It is the one place where a path of the store is made. Names come from catalogs, archives and other
programs' folders, so each is checked before it is joined to the root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError

RECORD_SUFFIX: Final = ".json"

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_BLOB_PREFIX: Final = "sha256-"
# A colon means a drive or a stream of a file on some systems; no alias has a plus.
_COLON: Final = "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLayout:
    """The paths of one store. None of them need exist."""

    root: Path

    def blob(self, sha256: str) -> Path:
        """The model with this digest.

        Raises:
            ConfigError: Not 64 lower-case hexadecimal digits.
        """
        return self._path("blobs", blob_name(sha256))

    def record(self, reference: str) -> Path:
        """What is noted about a model. Source: `ConfigError` as of `file_name`."""
        return self._path("records", f"{file_name(reference)}{RECORD_SUFFIX}")

    def old_record(self, alias: str) -> Path:
        """What was noted about a model when an alias had one file only."""
        return self._path("records", f"{alias}{RECORD_SUFFIX}")

    def partial(self, key: str) -> Path:
        """A model that is still arriving."""
        return self._path("partial", f"{key}.part")

    def lock(self, key: str) -> Path:
        """The file that a lock is held on."""
        return self._path("locks", f"{key}.lock")

    def use(self, sha256: str) -> Path:
        """An empty file whose time says when the model was last used."""
        return self._path("uses", blob_name(sha256))

    def pin(self, reference: str) -> Path:
        """An empty file that is there while the model is pinned."""
        return self._path("pins", file_name(reference))

    def damaged(self, sha256: str) -> Path:
        """Where a model is set aside that is not what its name says."""
        return self._path("damaged", blob_name(sha256))

    def folder(self, name: str) -> Path:
        """One of the store's folders."""
        return self._path(name)

    def digest_of(self, path: Path) -> str | None:
        """The digest in the path of one of this store's blobs; `None` for any other path."""
        digest = path.name.removeprefix(_BLOB_PREFIX)
        is_blob = is_digest(digest) and path == self.blob(digest)
        return digest if is_blob else None

    def _path(self, *names: str) -> Path:
        for name in names:
            if not _NAME.fullmatch(name):
                raise ConfigError(
                    field="name in the model store",
                    value=name,
                    remedy="begin with a letter or digit, go on with letters, digits and '._-'",
                )
        return self.root.joinpath(*names)


def is_digest(text: str) -> bool:
    """Whether a text is a sha256 as the store writes it."""
    return _DIGEST.fullmatch(text) is not None


def blob_name(sha256: str) -> str:
    """File name of the model with a digest.

    Raises:
        ConfigError: Not 64 lower-case hexadecimal digits.
    """
    if not is_digest(sha256):
        raise ConfigError(
            field="sha256", value=sha256, remedy="write 64 lower-case hexadecimal digits"
        )
    return f"{_BLOB_PREFIX}{sha256}"


def file_name(reference: str) -> str:
    """A reference such as `smollm2-135m:q4_k_m` as a part of a file name."""
    return reference.replace(":", _COLON)
