"""What a database tells only those who have its keys: this file holds its own settings.

The index secret makes keyed hashes of texts that are looked up, such as the name of whom a fact is
about. It is made once and never changes, since all hashes would change with it; the keys that seal
it may. That it opens proves, before anything else is read, that the keys are the right ones.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import DatabaseError
from smallhold.security import KeyRing
from smallhold.state.database.sealing import Sealer, is_plain
from smallhold.state.tables.metadata import KEY_CHARS
from smallhold.state.tables.store import STORE_INFO

INDEX_SECRET: Final = "index_secret"  # noqa: S105 - its name, not the secret
ENCRYPTING: Final = "encrypting"
"""Present while a database that was in the clear is being encrypted."""
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What was learnt when a database was opened."""

    sealer: Sealer
    index_secret: bytes

    def blind(self, text: str, *, tenant: str) -> str:
        """Hash a tenant's text with the index secret.

        Source: HMAC-SHA-256 (RFC 2104), cut to 128 bits as its section 5 allows.
        """
        message = tenant.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.new(self.index_secret, message, hashlib.sha256).hexdigest()[:KEY_CHARS]


async def read_secrets(
    connection: AsyncConnection, *, keys: KeyRing | None, database: str
) -> Secrets:
    """Read the database's own settings, and make them if it is new.

    Args:
        connection: A transaction that may write, not held to a tenant.
        keys: What opens and seals payloads.
        database: The database's name for messages.

    Raises:
        WrongKeyError: The keys do not open the database.
        DatabaseError: The database is in the clear, and keys were given.
    """
    found = await _value(connection, INDEX_SECRET)
    if found is None:
        # Writers come one after another, so nobody else can have made one since.
        found = info_payload(Sealer(keys=keys), INDEX_SECRET, os.urandom(_SECRET_BYTES))
        await connection.execute(insert(STORE_INFO), {"name": INDEX_SECRET, "value": found})
    encrypting = await _value(connection, ENCRYPTING)
    if encrypting is not None and keys is not None:
        # Whoever has no key may not open the door to rows in the clear.
        opened_info(Sealer(keys=keys), ENCRYPTING, encrypting)
    sealer = Sealer(keys=keys, accepts_plain=encrypting is not None)
    if keys is not None and is_plain(found) and encrypting is None:
        raise DatabaseError(
            database=database,
            problem="it is not encrypted, and a key was given",
            remedy="Encrypt it with `smallhold state rotate`, or open it without a key.",
        )
    return Secrets(sealer=sealer, index_secret=opened_info(sealer, INDEX_SECRET, found))


def info_payload(sealer: Sealer, name: str, value: bytes) -> bytes:
    """Write a setting of the database."""
    return sealer.seal_bytes(value, tenant="", table=STORE_INFO.name, row=name)


def opened_info(sealer: Sealer, name: str, payload: bytes) -> bytes:
    """Read a setting of the database; raises as `Sealer.unseal_bytes` does."""
    return sealer.unseal_bytes(payload, tenant="", table=STORE_INFO.name, row=name)


async def _value(connection: AsyncConnection, name: str) -> bytes | None:
    query = select(STORE_INFO.c.value).where(STORE_INFO.c.name == name)
    return await connection.scalar(query)
