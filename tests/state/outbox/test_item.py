from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from smallhold.state.outbox import OutboxItem, OutboxStatus


def test_an_effect_cannot_be_changed_by_who_sends_it() -> None:
    item = OutboxItem(
        id="e1",
        session=None,
        number=1,
        destination="somewhere",
        body={},
        idempotency_key="k",
        status=OutboxStatus.WAITING,
        attempts=0,
        created_s=0.0,
        due_s=0.0,
    )
    with pytest.raises(FrozenInstanceError):
        item.attempts = 5  # pyright: ignore[reportAttributeAccessIssue] - that is the point
