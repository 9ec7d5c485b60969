"""Approvals as they are stored: this file holds the way from rows to values and back.

The payload holds the whole approval; the columns beside it are for looking it up. Both must agree,
so that nobody without the keys can turn a stored `pending` into `approved`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from smallhold.exceptions import DamagedRecordError, NewerFormatError
from smallhold.state.approvals.approval import Approval, ApprovalStatus
from smallhold.state.approvals.digest import hash_arguments
from smallhold.state.database import TenantDatabase
from smallhold.state.tables import APPROVALS

FORMAT: Final = 1
"""Version of the payload."""
_COLUMNS: Final = (
    "session", "run", "call_id", "status", "created_s", "expires_s", "decided_s",
)  # fmt: skip
"""What a row tells without its payload."""


class _Payload(BaseModel):
    """An approval, sealed."""

    model_config = ConfigDict(extra="forbid")

    v: int
    session: str | None
    run: str
    call_id: str
    tool: str
    arguments: dict[str, Any]
    why: str
    status: ApprovalStatus
    created_s: float
    expires_s: float | None
    decided_by: str | None
    decided_s: float | None
    comment: str | None
    edited_arguments: dict[str, Any] | None


def values_of(approval: Approval, database: TenantDatabase) -> dict[str, Any]:
    """Write an approval as a row's values."""
    payload: dict[str, Any] = {
        name: getattr(approval, name) for name in _Payload.model_fields if name != "v"
    }
    payload |= {"v": FORMAT, "status": approval.status.value}
    sealed = database.seal(payload, table=APPROVALS.name, row=approval.id)
    columns = {name: payload[name] for name in _COLUMNS}
    return {"id": approval.id, "payload": sealed, **columns}


def approval_of(row: Mapping[Any, Any], database: TenantDatabase) -> Approval:
    """Read an approval out of a row.

    Raises:
        DamagedRecordError: The row is not what was written.
        NewerFormatError: A newer version wrote it.
        WrongKeyError: The keys do not open it.
    """
    name = f"{APPROVALS.name} {row['id']}"
    stored = database.unseal(row["payload"], table=APPROVALS.name, row=row["id"])
    found = stored.get("v") if isinstance(stored, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise NewerFormatError(what=name, found=str(found), supported=str(FORMAT))
    try:
        payload = _Payload.model_validate(stored)
    except ValidationError as error:
        raise DamagedRecordError(record=name, problem="it does not hold an approval") from error
    fields = {field: getattr(payload, field) for field in _Payload.model_fields if field != "v"}
    for column in _COLUMNS:
        if row[column] != fields[column]:
            raise DamagedRecordError(record=name, problem=f"its {column} is not the sealed one")
    return Approval(id=row["id"], arguments_hash=hash_arguments(payload.arguments), **fields)
