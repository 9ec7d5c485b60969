"""Encryption of what is stored: this file holds the ring of AES-256-GCM keys.

A sealed value is `version (1 byte) | length of the key id (1) | key id | nonce (12) | ciphertext
and tag (16)`. The context that a caller gives, such as table and row, is authenticated with it, so
that nobody can put one row's value into another row unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from smallhold.exceptions import ConfigError, DamagedRecordError, WrongKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
"""AES-256."""
SEALED_VERSION: Final = 1
"""First byte of every sealed value; plain values of the state begin with 0."""
_NONCE_BYTES: Final = 12
"""Source: NIST SP 800-38D, section 8.2.2: a random nonce of 96 bits, good for 2^32 values a key."""
_TAG_BYTES: Final = 16
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_HEAD_BYTES: Final = 2


class KeyRing:
    """The keys of a database, by id: one seals, all open.

    To rotate, put a new key in front, keep the old one until everything was sealed anew
    (`smallhold state rotate`), then drop it.
    """

    def __init__(self, keys: Mapping[str, bytes], *, active: str | None = None) -> None:
        """Take the keys.

        Args:
            keys: 32 random bytes each, by an id of letters, digits, `.`, `_` and `-`.
            active: Id of the key that seals; by default the first.

        Raises:
            ConfigError: There is no key, or an id or a key is not usable.
        """
        if not keys:
            raise ConfigError(field="keys", value="(none)", remedy="give at least one key")
        for key_id, key in keys.items():
            _check_key(key_id, key)
        if active is not None and active not in keys:
            raise ConfigError(field="active", value=active, remedy=f"name one of {', '.join(keys)}")
        self._keys = dict(keys)
        self._active = next(iter(keys)) if active is None else active
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read `id:BASE64` of each key, the active one first, joined by commas.

        A single key may stand without an id; it is called `default`.

        Raises:
            ConfigError: The text is no such list. The message never shows the keys.
        """
        keys: dict[str, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            key_id, separator, encoded = part.partition(":")
            if not separator:
                key_id, encoded = "default", part
            if key_id in keys:
                raise ConfigError(
                    field="keys", value=key_id, remedy="two keys have this id; rename one"
                )
            keys[key_id] = _decoded(key_id, encoded)
        return cls(keys)

    @classmethod
    def generate(cls, key_id: str = "default") -> KeyRing:
        """Make a ring of one new random key."""
        return cls({key_id: os.urandom(KEY_BYTES)})

    @property
    def active(self) -> str:
        """Id of the key that seals."""
        return self._active

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all keys, the active one first."""
        return (self._active, *(key_id for key_id in self._keys if key_id != self._active))

    def text(self) -> str:
        """Write the ring as `parse` reads it. Whoever reads the text can read the database."""
        return ",".join(
            f"{key_id}:{base64.b64encode(self._keys[key_id]).decode()}" for key_id in self.ids
        )

    def __repr__(self) -> str:
        """Show the ids alone."""
        return f"KeyRing({', '.join(self.ids)})"

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Encrypt a value with the active key and a new random nonce.

        Args:
            plain: The value.
            context: What must be told again to open it, such as where it is stored.
        """
        key_id = self._active.encode()
        head = bytes((SEALED_VERSION, len(key_id))) + key_id
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._cipher(self._active)
        return head + nonce + cipher.encrypt(nonce, plain, head + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt a value.

        Raises:
            WrongKeyError: It was sealed with a key that is not in the ring, or that has other
                bytes than the one of the same id here.
            DamagedRecordError: The bytes are no sealed value.
        """
        key_id = key_id_of(sealed)
        if key_id not in self._keys:
            raise WrongKeyError(key_id=key_id, known=self.ids)
        start = _HEAD_BYTES + len(key_id.encode())
        nonce = sealed[start : start + _NONCE_BYTES]
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - heavy, see the house

        try:
            return self._cipher(key_id).decrypt(
                nonce, sealed[start + _NONCE_BYTES :], sealed[:start] + context
            )
        except InvalidTag as error:
            raise WrongKeyError(key_id=key_id, known=self.ids) from error

    def _cipher(self, key_id: str) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            # Imported late: it loads OpenSSL, which an agent without keys never needs.
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

            cipher = self._ciphers[key_id] = AESGCM(self._keys[key_id])
        return cipher


def key_id_of(sealed: bytes) -> str:
    """Tell which key a value was sealed with.

    Raises:
        DamagedRecordError: The bytes are no sealed value.
    """
    if len(sealed) < _HEAD_BYTES or sealed[0] != SEALED_VERSION:
        raise DamagedRecordError(record="sealed value", problem="it does not begin like one")
    end = _HEAD_BYTES + sealed[1]
    if len(sealed) < end + _NONCE_BYTES + _TAG_BYTES:
        raise DamagedRecordError(record="sealed value", problem="it is too short")
    key_id = sealed[_HEAD_BYTES:end].decode("ascii", "replace")
    if not _KEY_ID.fullmatch(key_id):
        raise DamagedRecordError(record="sealed value", problem="its key id is not readable")
    return key_id


def _check_key(key_id: str, key: bytes) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise ConfigError(
            field="key id",
            value=key_id,
            remedy="use 1 to 32 letters, digits, `.`, `_` or `-`, a letter or digit first",
        )
    if len(key) != KEY_BYTES:
        raise ConfigError(
            field=f"key {key_id}",
            value=f"({len(key)} bytes)",
            remedy=f"give {KEY_BYTES} random bytes, such as `smallhold state new-key` prints",
        )


def _decoded(key_id: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(
            field=f"key {key_id}",
            value=f"({len(encoded)} characters)",
            remedy="write it in base64, such as `smallhold state new-key` prints",
        ) from error
