"""The schema of the state: this file holds the metadata that all tables share.

Conventions of every table: `tenant` is the first column and the first part of the primary key;
columns ending in `_s` are Unix times in seconds; `payload` is sealed JSON, where everything that a
person wrote belongs; columns ending in `_key` are keyed hashes of such texts, for look-ups.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, LargeBinary, MetaData, String

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Names of constraints are given, so that migrations can name them on both databases."""

TENANT_COLUMN: Final = "tenant"
ID_CHARS: Final = 128
"""Longest id of a tenant, session, run or document."""
KEY_CHARS: Final = 32
"""Length of a keyed hash, in hexadecimal digits: 128 bits, so that no two texts meet."""


def tenant_column() -> Column[Any]:
    """Make the column that tells whose row it is."""
    return Column(TENANT_COLUMN, String(ID_CHARS), primary_key=True)


def payload_column() -> Column[Any]:
    """Make the column for what only the owner of the keys may read."""
    return Column("payload", LargeBinary, nullable=False)
