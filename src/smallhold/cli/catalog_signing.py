"""Signing the catalog: this file holds what the commands around signatures do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import foreign
from smallhold.exceptions import ConfigError, UnknownModelError
from smallhold.messages import JsonObject
from smallhold.models import load_catalog
from smallhold.models.catalog.overlays import overlay_path, with_overlay, write_signatures
from smallhold.models.catalog.signing import PublicKey, SigningKey, read_public_keys, refusal
from smallhold.settings import Settings

_OWNER_ONLY: Final = 0o600
_KEY_MAX_BYTES: Final = 16 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a model's signature is worth."""

    alias: str
    signed_by: str | None
    """Id of the key; `None`: it is not signed."""
    refusal: str | None
    """Why it may not be used; `None`: one of the keys vouches for it."""
    unhashed: tuple[str, ...]
    """References of its files that may not be used, since their sha256 is not known."""

    def to_dict(self) -> JsonObject:
        """The verdict as JSON."""
        return {
            "alias": self.alias,
            "signed_by": self.signed_by,
            "valid": self.refusal is None,
            "refusal": self.refusal,
            "unhashed": [*self.unhashed],
        }


def write_key(path: Path) -> PublicKey:
    """Make a signing key in a new file that only its owner can read.

    Raises:
        ConfigError: the file is there already, or cannot be written.
    """
    key = SigningKey.generate()
    try:
        # Never over another key: what it signed could be signed by nobody any more.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle, so that the mode is never wider
            file.write(key.pem)
    except OSError as error:
        remedy = f"it cannot be made ({error.strerror}); choose another file"
        raise ConfigError(field="key", value=str(path), remedy=remedy) from error
    return key.public


def sign_models(
    aliases: Sequence[str], *, key_file: Path, output: Path | None, settings: Settings
) -> tuple[Path, tuple[str, ...]]:
    """Sign models of the catalog, all of them when none is named, and write the signatures down.

    Returns:
        The file with the signatures, and the aliases that were signed.

    Raises:
        ConfigError: the key cannot be read or is none.
        UnknownModelError: there is no such alias.
        CatalogError: the file with the signatures cannot be read or written.
    """
    key = _signing_key(key_file)
    path = output or overlay_path(settings)
    catalog = with_overlay(replace(settings, catalog=path)) if path.exists() else load_catalog()
    for alias in aliases:
        if alias not in catalog.models:
            raise UnknownModelError(alias=alias, near=(), known=tuple(catalog.models))
    signed = tuple(aliases) or tuple(catalog.models)
    write_signatures(path, {alias: key.sign(catalog.models[alias]) for alias in signed})
    return path, signed


def verdicts(file: Path | None, *, keys: Sequence[str], settings: Settings) -> tuple[Verdict, ...]:
    """Judge the signature of each model.

    Args:
        file: A catalog file to lay over the packaged catalog; the settings' when left out.
        keys: Public keys; the settings' when there are none.
        settings: Of this process.

    Raises:
        ConfigError: there is no key, or one is none.
        CatalogError: the file cannot be read.
    """
    texts = tuple(keys) or settings.catalog_keys
    if not texts:
        remedy = "name a public key with --key, or set the variable"
        raise ConfigError(field="SMALLHOLD_CATALOG_KEYS", value="", remedy=remedy)
    known = read_public_keys(texts, field="--key" if keys else "SMALLHOLD_CATALOG_KEYS")
    catalog = with_overlay(replace(settings, catalog=file) if file else settings)
    return tuple(
        Verdict(
            alias=model.alias,
            signed_by=None if model.signature is None else model.signature.partition(":")[0],
            refusal=refusal(model, keys=known),
            unhashed=tuple(e.reference for e in model.entries if e.sha256 is None),
        )
        for model in catalog
    )


def verdicts_table(judged: tuple[Verdict, ...]) -> Table:
    """Lay the verdicts out for people, one a line."""
    table = Table(Column("alias", no_wrap=True), "key", "signature", "files without sha256")
    for verdict in judged:
        table.add_row(
            foreign(verdict.alias),
            verdict.signed_by or "-",
            foreign(verdict.refusal or "valid"),
            str(len(verdict.unhashed) or "-"),
        )
    return table


def _signing_key(path: Path) -> SigningKey:
    try:
        with path.open("rb") as file:
            text = file.read(_KEY_MAX_BYTES)
    except OSError as error:
        remedy = f"it cannot be read ({error.strerror})"
        raise ConfigError(field="--key", value=str(path), remedy=remedy) from error
    return SigningKey.from_pem(text, file=str(path))
