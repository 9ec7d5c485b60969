"""Values as they lie on the disk: this file holds the sealer of payloads.

With keys a payload is encrypted; without, it carries a check sum. Either way a value that is not
what was written is noticed, and a value that stands in another row's place too.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Final, cast

from smallhold.exceptions import DamagedRecordError, WrongKeyError
from smallhold.messages import JsonValue
from smallhold.security import KeyRing
from smallhold.security.encryption import key_id_of

PLAIN_VERSION: Final = 0
"""First byte of a payload that is not encrypted; sealed ones begin with 1."""
_SUM_BYTES: Final = 4
_HEAD_BYTES: Final = 1 + _SUM_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Writes and reads payloads.

    A payload is tied to its tenant, table and row: moved elsewhere, it no longer opens.
    """

    keys: KeyRing | None = None
    accepts_plain: bool = False
    """Also read payloads that are not encrypted, although there are keys: while a database is being
    encrypted, and at no other time, or somebody could slip in rows of their own."""

    def seal(self, value: JsonValue, *, tenant: str, table: str, row: str) -> bytes:
        """Write a JSON value as a payload."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return self.seal_bytes(
            text.encode("utf-8", "surrogatepass"), tenant=tenant, table=table, row=row
        )

    def unseal(self, data: bytes, *, tenant: str, table: str, row: str) -> JsonValue:
        """Read a payload as the JSON value that was written.

        Raises:
            DamagedRecordError: It is not what was written, or not in its place.
            WrongKeyError: None of the keys opens it.
        """
        plain = self.unseal_bytes(data, tenant=tenant, table=table, row=row)
        try:
            return cast("JsonValue", json.loads(plain.decode("utf-8", "surrogatepass")))
        except ValueError as error:
            raise DamagedRecordError(record=f"{table} {row}", problem="it is no JSON") from error

    def seal_bytes(self, plain: bytes, *, tenant: str, table: str, row: str) -> bytes:
        """Write bytes as a payload."""
        context = context_of(tenant=tenant, table=table, row=row)
        if self.keys is not None:
            return self.keys.seal(plain, context=context)
        return bytes((PLAIN_VERSION,)) + _sum(context, plain) + plain

    def unseal_bytes(self, data: bytes, *, tenant: str, table: str, row: str) -> bytes:
        """Read a payload as the bytes that were written; raises as `unseal` does."""
        context = context_of(tenant=tenant, table=table, row=row)
        if not is_plain(data):
            return self._opened(data, context, record=f"{table} {row}")
        if self.keys is not None and not self.accepts_plain:
            raise DamagedRecordError(
                record=f"{table} {row}", problem="it is not encrypted, in an encrypted database"
            )
        plain = data[_HEAD_BYTES:]
        if len(data) < _HEAD_BYTES or data[1:_HEAD_BYTES] != _sum(context, plain):
            raise DamagedRecordError(record=f"{table} {row}", problem="its check sum is wrong")
        return plain

    def _opened(self, data: bytes, context: bytes, *, record: str) -> bytes:
        keys = self.keys
        if keys is None:
            raise WrongKeyError(key_id=key_id_of(data), known=())
        try:
            return keys.open(data, context=context)
        except DamagedRecordError as error:
            raise DamagedRecordError(record=record, problem=error.problem) from error


def is_plain(data: bytes) -> bool:
    """Tell whether a payload is not encrypted."""
    return data[:1] == bytes((PLAIN_VERSION,))


def context_of(*, tenant: str, table: str, row: str) -> bytes:
    """Write the place of a payload; no two places are written alike."""
    return json.dumps([tenant, table, row]).encode()


def _sum(context: bytes, plain: bytes) -> bytes:
    return zlib.crc32(plain, zlib.crc32(context)).to_bytes(_SUM_BYTES, "big")
