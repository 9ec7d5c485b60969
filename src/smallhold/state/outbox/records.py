"""Effects as they are stored: this file holds the way from rows to values and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from smallhold.exceptions import DamagedRecordError, NewerFormatError
from smallhold.messages import JsonObject
from smallhold.state.approvals.digest import hash_json
from smallhold.state.database import TenantDatabase
from smallhold.state.outbox.item import OutboxItem, OutboxStatus
from smallhold.state.tables.outbox import OUTBOX

FORMAT: Final = 1
"""Version of the payload."""
_COLUMNS: Final = ("session", "number", "attempts", "created_s", "due_s", "settled_s")
"""What a row tells without its payload, as an item has it."""
_SESSION: Final = "s:"
_SINGLE: Final = "i:"


class _Payload(BaseModel):
    """What only the owner of the keys may read."""

    model_config = ConfigDict(extra="forbid")

    v: int
    destination: str
    body: dict[str, Any]
    idempotency_key: str
    content_hash: str
    error: str | None


def queue_of(*, session: str | None, effect_id: str) -> str:
    """Name the order that an effect stands in: its session's, or its own."""
    return _SINGLE + effect_id if session is None else _SESSION + session


def content_hash(*, destination: str, body: JsonObject, session: str | None) -> str:
    """Hash what an idempotency key stands for.

    Raises:
        ConfigError: The body is no plain JSON.
    """
    return hash_json({"to": destination, "body": body, "session": session}, field="body")


def payload_of(item: OutboxItem, database: TenantDatabase, *, content: str) -> bytes:
    """Write what is sealed of an effect; `content`, its `content_hash`, outlives the body."""
    payload: JsonObject = {
        "v": FORMAT,
        "destination": item.destination,
        "body": item.body,
        "idempotency_key": item.idempotency_key,
        "content_hash": content,
        "error": item.error,
    }
    return database.seal(payload, table=OUTBOX.name, row=item.id)


def values_of(item: OutboxItem, database: TenantDatabase, *, content: str) -> dict[str, Any]:
    """Write an effect as a row's values, but for its place in the order and its key's hash."""
    columns = {name: getattr(item, name) for name in _COLUMNS}
    payload = payload_of(item, database, content=content)
    return {"id": item.id, "status": item.status.value, "payload": payload, **columns}


def item_of(row: Mapping[Any, Any], database: TenantDatabase) -> tuple[OutboxItem, str]:
    """Read an effect and its content's hash out of a row.

    Raises:
        DamagedRecordError: The row is not what was written.
        NewerFormatError: A newer version wrote it.
        WrongKeyError: The keys do not open it.
    """
    name = f"{OUTBOX.name} {row['id']}"
    stored = database.unseal(row["payload"], table=OUTBOX.name, row=row["id"])
    found = stored.get("v") if isinstance(stored, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise NewerFormatError(what=name, found=str(found), supported=str(FORMAT))
    try:
        payload = _Payload.model_validate(stored)
        status = OutboxStatus(row["status"])
    except ValueError as error:  # pydantic's `ValidationError` is one
        raise DamagedRecordError(record=name, problem="it does not hold an effect") from error
    item = OutboxItem(
        id=row["id"],
        destination=payload.destination,
        body=payload.body,
        idempotency_key=payload.idempotency_key,
        status=status,
        error=payload.error,
        **{column: row[column] for column in _COLUMNS},
    )
    return item, payload.content_hash
