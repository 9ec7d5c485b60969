"""A user's own catalog over the packaged one: this file holds the way from settings to a `Catalog`.

The file of a user adds models and variants, redirects aliases and replaces sources. Where settings
have public keys, it also carries the signatures of what may be used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import filelock

from smallhold.exceptions import CatalogError
from smallhold.models.atomic_file import replace_file
from smallhold.models.catalog.catalog import Catalog, CatalogModel
from smallhold.models.catalog.catalog_file import load_catalog, parse_catalog, read_text
from smallhold.models.catalog.overlay_text import with_model, with_signature
from smallhold.models.catalog.writing import model_document
from smallhold.settings import Settings

OVERLAY_NAME: Final = "catalog.yaml"
"""The user's file in `Settings.home`."""

BUSY_LIMIT_S: Final = 10.0
"""How long to wait for another process that writes the same file; writing takes milliseconds."""
_LOG = logging.getLogger(__name__)


def overlay_path(settings: Settings) -> Path:
    """The user's own catalog file, whether it is there or not."""
    return settings.catalog or settings.home / OVERLAY_NAME


def open_catalog(settings: Settings) -> Catalog:
    """Read the catalog that holds on this machine: packaged, the user's laid over it, checked.

    Where `settings.catalog_keys` are set, `models` has only what one of them signed, see
    `Catalog.unsigned`.

    Raises:
        CatalogError: The user's file is malformed, or is named by the settings and not there.
        ConfigError: One of the keys is no key.
    """
    catalog = with_overlay(settings)
    if not settings.catalog_keys:
        return catalog
    # Not at import: most catalogs need no cryptography.
    from smallhold.models.catalog.signing import only_signed, read_public_keys  # noqa: PLC0415 - see above

    return only_signed(catalog, keys=read_public_keys(settings.catalog_keys))


def with_overlay(settings: Settings) -> Catalog:
    """Read the packaged catalog and the user's over it, whoever signed them.

    Raises:
        CatalogError: The user's file is malformed, or is named by the settings and not there.
    """
    path = overlay_path(settings)
    if settings.catalog is None and not path.exists():
        return load_catalog()
    return parse_catalog(read_text(path), file=str(path), below=load_catalog())


def add_to_overlay(
    settings: Settings, model: CatalogModel, *, busy_limit_s: float = BUSY_LIMIT_S
) -> Path:
    """Write a model into the user's own catalog file; the rest of the file stays as it is.

    Args:
        settings: They say which file it is.
        model: Takes the place of one with the same alias.
        busy_limit_s: How long to wait, in seconds, for another process with the same aim.

    Returns:
        The file.

    Raises:
        CatalogError: The file is malformed or cannot be written; it is as it was.
        ValueError: The model has a source that no file can name.
    """
    document = model_document(model)
    path = overlay_path(settings)

    def added(text: bytes) -> bytes:
        return with_model(text, alias=model.alias, model=document, file=str(path))

    _rewrite(path, added, busy_limit_s=busy_limit_s)
    return path


def write_signatures(path: Path, signatures: dict[str, str]) -> None:
    """Write signatures, by alias, into a catalog file; the rest of the file stays as it is.

    Raises:
        CatalogError: The file is malformed or cannot be written; it is as it was.
    """

    def signed(text: bytes) -> bytes:
        for alias, signature in signatures.items():
            text = with_signature(text, alias=alias, signature=signature, file=str(path))
        return text

    _rewrite(path, signed, busy_limit_s=BUSY_LIMIT_S)


def _rewrite(path: Path, change: Callable[[bytes], bytes], *, busy_limit_s: float) -> None:
    """Change a catalog file in one step, one process after the other."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{path}.lock", timeout=busy_limit_s):
            text = change(read_text(path) if path.exists() else b"")
            # What cannot be read must not be what is written.
            parse_catalog(text, file=str(path), below=load_catalog())
            replace_file(path, text)
    except OSError as error:
        is_held = isinstance(error, filelock.Timeout)
        reason = "another process holds its lock" if is_held else error.strerror
        problem = f"it cannot be written ({reason})"
        raise CatalogError(file=str(path), place="whole file", problem=problem) from error
    _LOG.info("catalog.overlay_written", extra={"file": str(path)})
