from __future__ import annotations

import json

from tests.cli.conftest import Screen

from smallhold.cli.approval_views import approval_json, approval_view, approvals_table
from smallhold.state.approvals import Approval, ApprovalStatus

APPROVAL = Approval(
    id="a1b2",
    run="r1",
    session="kiosk-7",
    call_id="c1",
    tool="refund",
    arguments={"order": 1042, "to": "\u202egnp.exe"},
    arguments_hash="f" * 64,
    why="It moves money.",
    status=ApprovalStatus.PENDING,
    created_s=1_700_000_000.0,
    expires_s=1_700_003_600.0,
)


def test_a_request_is_shown_whole_with_its_hash(screen: Screen) -> None:
    screen.console.print(approval_view(APPROVAL), soft_wrap=True)
    for part in ("a1b2", "refund", "It moves money.", "1042", "f" * 64, "2023-11-14 23:13:20"):
        assert part in screen.text


def test_no_character_of_the_arguments_can_deceive_whoever_decides(screen: Screen) -> None:
    screen.console.print(approval_view(APPROVAL), soft_wrap=True)
    screen.console.print(approvals_table([APPROVAL]))
    assert "\u202e" not in screen.text
    assert "\\u202egnp.exe" in screen.text


def test_a_list_has_a_line_for_each(screen: Screen) -> None:
    screen.console.print(approvals_table([APPROVAL, APPROVAL]))
    assert screen.text.count("a1b2") == 2


def test_programs_get_plain_json() -> None:
    told = json.loads(json.dumps(approval_json(APPROVAL)))
    assert (told["id"], told["status"], told["arguments"]["order"]) == ("a1b2", "pending", 1042)
