from __future__ import annotations

import pytest

from smallhold.exceptions import ConfigError, DamagedRecordError, NewerFormatError
from smallhold.state import State
from smallhold.state.outbox import OutboxItem, OutboxStatus
from smallhold.state.outbox.records import FORMAT, content_hash, item_of, queue_of, values_of

ITEM = OutboxItem(
    id="e1",
    session="kiosk-7",
    number=3,
    destination="https://example.org/orders",
    body={"order": 1042, "text": "é\ud800"},
    idempotency_key="order-1042",
    status=OutboxStatus.REJECTED,
    attempts=4,
    created_s=1.5,
    due_s=2.5,
    settled_s=3.5,
    error="no such order",
)


async def test_what_is_read_is_what_was_written(state: State) -> None:
    row = values_of(ITEM, state.rows, content="abc")
    assert item_of(row, state.rows) == (ITEM, "abc")


async def test_an_effect_of_a_newer_version_is_refused_by_name(state: State) -> None:
    row = values_of(ITEM, state.rows, content="abc")
    row["payload"] = state.rows.seal({"v": FORMAT + 1}, table="outbox", row="e1")
    with pytest.raises(NewerFormatError, match="outbox e1"):
        item_of(row, state.rows)


@pytest.mark.parametrize("change", [{"status": "lost"}, {"payload": b""}])
async def test_a_row_that_is_not_what_was_written_is_noticed(
    state: State, change: dict[str, object]
) -> None:
    row = values_of(ITEM, state.rows, content="abc") | change
    with pytest.raises(DamagedRecordError):
        item_of(row, state.rows)


def test_a_session_never_shares_an_order_with_a_single_effect() -> None:
    assert queue_of(session="e1", effect_id="e2") != queue_of(session=None, effect_id="e1")
    assert queue_of(session="a", effect_id="1") == queue_of(session="a", effect_id="2")


def test_another_destination_body_or_session_is_other_content() -> None:
    contents = {
        content_hash(destination="a", body={"n": 1}, session=None),
        content_hash(destination="b", body={"n": 1}, session=None),
        content_hash(destination="a", body={"n": 2}, session=None),
        content_hash(destination="a", body={"n": 1}, session="s"),
    }
    assert len(contents) == 4


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(ConfigError, match="body"):
        content_hash(destination="a", body={"n": float("inf")}, session=None)
