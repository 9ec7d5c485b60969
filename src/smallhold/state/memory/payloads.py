"""Facts as they are stored: this file holds the way into payloads and back.

What people wrote, and who said it, lies in the payload, which may be encrypted; columns hold ids,
keyed hashes, places and times alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallhold.exceptions import DamagedRecordError, NewerFormatError
from smallhold.messages import JsonObject, JsonValue
from smallhold.state.memory.fact import (
    QUOTE_MAX_CHARS,
    Author,
    Confirmation,
    Fact,
    Provenance,
)

PAYLOAD_VERSION: Final = 1
_STRICT: Final = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Provenance(BaseModel):
    model_config = _STRICT

    author: Author
    name: str | None = None
    session: str | None = None
    run: str | None = None
    entry: int | None = None
    quote: str = ""


class _Confirmation(BaseModel):
    model_config = _STRICT

    provenance: _Provenance
    confidence_ratio: float = Field(ge=0, le=1)
    at_s: float


class _Payload(BaseModel):
    model_config = _STRICT

    subject: str
    attribute: str
    value: str
    confidence_ratio: float = Field(ge=0, le=1)
    is_list: bool = False
    provenance: _Provenance
    confirmations: tuple[_Confirmation, ...] = ()


def payload_of(fact: Fact) -> JsonObject:
    """Write what of a fact belongs into its payload."""
    return {
        "v": PAYLOAD_VERSION,
        "subject": fact.subject,
        "attribute": fact.attribute,
        "value": fact.value,
        "confidence_ratio": fact.confidence_ratio,
        "is_list": fact.is_list,
        "provenance": provenance_json(fact.provenance),
        "confirmations": [
            {
                "provenance": provenance_json(confirmation.provenance),
                "confidence_ratio": confirmation.confidence_ratio,
                "at_s": confirmation.at_s,
            }
            for confirmation in fact.confirmations
        ],
    }


def fact_of(payload: JsonValue, row: Any) -> Fact:
    """Read a fact.

    Args:
        payload: What `payload_of` gave.
        row: The row with the columns of `FACTS`.

    Raises:
        NewerFormatError: A newer version of Smallhold wrote it.
        DamagedRecordError: It is no fact.
    """
    check_version(payload, record=f"facts {row.id}")
    try:
        stored = _Payload.model_validate(payload)
    except ValidationError as error:
        # Not the error's own text, which shows the values.
        problem = f"{error.error_count()} of its fields are not what they should be"
        raise DamagedRecordError(record=f"facts {row.id}", problem=problem) from None
    return Fact(
        id=row.id,
        subject=stored.subject,
        attribute=stored.attribute,
        value=stored.value,
        confidence_ratio=stored.confidence_ratio,
        is_list=stored.is_list,
        provenance=_provenance(stored.provenance),
        confirmations=tuple(
            Confirmation(
                provenance=_provenance(confirmation.provenance),
                confidence_ratio=confirmation.confidence_ratio,
                at_s=confirmation.at_s,
            )
            for confirmation in stored.confirmations
        ),
        position=row.position,
        created_s=row.created_s,
        expires_s=row.expires_s,
        superseded_s=row.superseded_s,
        superseded_by=row.superseded_by,
    )


def check_version(payload: JsonValue, *, record: str) -> None:
    """Refuse a payload of a newer version. Raises `NewerFormatError`, `DamagedRecordError`."""
    version = payload.get("v") if isinstance(payload, dict) else None
    if not isinstance(version, int):
        raise DamagedRecordError(record=record, problem="it names no version")
    if version > PAYLOAD_VERSION:
        raise NewerFormatError(
            what=f"The record {record}", found=str(version), supported=str(PAYLOAD_VERSION)
        )


def provenance_json(provenance: Provenance) -> JsonObject:
    """Write a provenance."""
    return {
        "author": provenance.author.value,
        "name": provenance.name,
        "session": provenance.session,
        "run": provenance.run,
        "entry": provenance.entry,
        "quote": provenance.quote,
    }


def kept(provenance: Provenance) -> Provenance:
    """Shorten a provenance's quote to what is stored."""
    return replace(provenance, quote=provenance.quote[:QUOTE_MAX_CHARS])


def _provenance(stored: _Provenance) -> Provenance:
    return Provenance(
        author=stored.author,
        name=stored.name,
        session=stored.session,
        run=stored.run,
        entry=stored.entry,
        quote=stored.quote,
    )
