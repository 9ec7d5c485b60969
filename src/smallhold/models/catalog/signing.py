"""Who vouches for a model of the catalog: this file holds its Ed25519 signatures.

What is signed is what a model is and which bytes its files have, not where they come from: a mirror
needs no signature of its own, since wrong bytes are found by their sha256. So a file whose sha256
is not known cannot be vouched for.

Source: RFC 8032 (Ed25519); keys are written as base64 of their 32 bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from smallhold.exceptions import ConfigError
from smallhold.models.catalog.catalog import Catalog, CatalogModel, CatalogVariant

_CONTEXT: Final = b"smallhold catalog entry 1\n"
"""Stands before what is signed, so that a signature counts for nothing else."""
_KEY_ID_CHARS: Final = 16
_NO_DIGEST: Final = "its sha256 is not known, so that a signature says nothing about its bytes"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Half of a key that checks signatures."""

    raw: bytes
    """32 bytes."""

    @property
    def text(self) -> str:
        """The key as settings have it."""
        return base64.b64encode(self.raw).decode()

    @property
    def key_id(self) -> str:
        """Short name of the key: the first 16 hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:_KEY_ID_CHARS]

    def fits(self, signature: bytes, *, message: bytes) -> bool:
        """Tell whether the other half of this key signed the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """Half of a key that signs; whoever has it decides what may be used."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, text: bytes, *, file: str) -> SigningKey:
        """Read a key that `pem` wrote, or another program: PKCS #8 without a password.

        Raises:
            ConfigError: It is no such key.
        """
        try:
            key = load_pem_private_key(text, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _no_signing_key(file) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_signing_key(file)
        return cls(key)

    @property
    def pem(self) -> bytes:
        """The key as a file, without a password."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> PublicKey:
        """The half that may be given away."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, model: CatalogModel) -> str:
        """Sign a model: key id, colon, base64 of the signature."""
        signature = self._key.sign(canonical_form(model))
        return f"{self.public.key_id}:{base64.b64encode(signature).decode()}"


def read_public_keys(
    texts: Sequence[str], *, field: str = "SMALLHOLD_CATALOG_KEYS"
) -> Mapping[str, PublicKey]:
    """Read the keys whose signatures count, by their ids.

    Raises:
        ConfigError: One of them is no key.
    """
    keys: dict[str, PublicKey] = {}
    for text in texts:
        try:
            key = PublicKey(base64.b64decode(text, validate=True))
            Ed25519PublicKey.from_public_bytes(key.raw)
        except (binascii.Error, ValueError) as error:
            remedy = "write public keys as `smallhold models keygen` shows them, 44 characters each"
            raise ConfigError(field=field, value=text, remedy=remedy) from error
        keys[key.key_id] = key
    return keys


def canonical_form(model: CatalogModel) -> bytes:
    """What is signed: the model as JSON with sorted keys, without what it does not say."""
    document = {
        "alias": model.alias,
        "title": model.title,
        "family": model.family,
        "parameter_count": model.parameter_count,
        "licence": model.licence,
        "context_tokens": model.context_tokens,
        "call_dialect": model.call_dialect,
        "purpose": model.purpose,
        "calibration": model.calibration,
        "use_cases": sorted(model.use_cases),
        "category": model.category,
        # Zeros mean "has none", so a field that a later version adds changes nothing here.
        "shape": {k: v for k, v in asdict(model.shape).items() if v} if model.shape else None,
        "chat_template_sha256": model.chat_template_sha256,
        "variants": [_variant_form(variant) for variant in model.variants],
    }
    said = {name: value for name, value in document.items() if value is not None}
    return _CONTEXT + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def refusal(model: CatalogModel, *, keys: Mapping[str, PublicKey]) -> str | None:
    """Tell why a model may not be used; `None`: one of the keys vouches for it."""
    if model.signature is None:
        return "it is not signed"
    key_id, _, signature = model.signature.partition(":")
    key = keys.get(key_id)
    if key is None:
        return f"it is signed with the key {key_id}, which is not among those that count"
    if not key.fits(base64.b64decode(signature), message=canonical_form(model)):
        return "its signature does not fit, so it is not what was signed"
    return None


def only_signed(catalog: Catalog, *, keys: Mapping[str, PublicKey]) -> Catalog:
    """Set apart what may not be used: unsigned models, and files whose sha256 is not known."""
    models: dict[str, CatalogModel] = {}
    unsigned: dict[str, CatalogModel] = {}
    refusals: dict[str, str] = {}
    for alias, model in catalog.models.items():
        hashed = tuple(variant for variant in model.variants if variant.sha256)
        reason = refusal(model, keys=keys) or (None if hashed else _NO_DIGEST)
        if reason is not None:
            unsigned[alias] = model
            refusals[alias] = reason
            continue
        models[alias] = replace(model, variants=hashed)
        for entry in model.entries:
            if entry.sha256 is None:
                refusals[entry.reference] = _NO_DIGEST
    return replace(
        catalog,
        models=MappingProxyType(models),
        unsigned=MappingProxyType(unsigned),
        refusals=MappingProxyType(refusals),
    )


def _variant_form(variant: CatalogVariant) -> dict[str, Any]:
    document = {
        "quantization": variant.quantization,
        "format": variant.format,
        "size_bytes": variant.size_bytes,
        "sha256": variant.sha256,
    }
    return {name: value for name, value in document.items() if value is not None}


def _no_signing_key(file: str) -> ConfigError:
    return ConfigError(
        field="signing key",
        value=file,
        remedy="give a file that `smallhold models keygen` wrote, without a password",
    )
