from __future__ import annotations

import json

from tests.cli.conftest import Screen

from smallhold.cli.outbox_views import effect_json, effect_view, effects_table
from smallhold.state.outbox import OutboxItem, OutboxStatus

ITEM = OutboxItem(
    id="e1",
    session="kiosk-7",
    number=1,
    destination="https://example.org/[orders]",
    body={"order": 1042},
    idempotency_key="order-1042",
    status=OutboxStatus.REJECTED,
    attempts=4,
    created_s=1_700_000_000.0,
    due_s=1_700_000_000.0,
    settled_s=1_700_003_600.0,
    error="no such\x1b[31m order",
)


def test_an_effect_is_shown_with_why_it_was_not_sent(screen: Screen) -> None:
    screen.console.print(effect_view(ITEM), soft_wrap=True)
    for part in ("https://example.org/[orders]", "1042", "rejected", "4", "no such"):
        assert part in screen.text
    assert "\x1b[31m" not in screen.text


def test_a_list_has_a_line_for_each(screen: Screen) -> None:
    screen.console.print(effects_table([ITEM, ITEM]))
    assert screen.text.count("e1") == 2


def test_programs_get_plain_json() -> None:
    told = json.loads(json.dumps(effect_json(ITEM)))
    assert (told["id"], told["status"], told["body"]) == ("e1", "rejected", {"order": 1042})
