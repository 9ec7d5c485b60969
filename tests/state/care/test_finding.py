from __future__ import annotations

import json

from smallhold.state.care import CheckReport, Finding, FindingKind

DAMAGE = Finding(
    kind=FindingKind.PAYLOAD,
    problem="its check sum is wrong",
    table="entries",
    row="kiosk-7/2",
    tenant="shop",
    session="kiosk-7",
    key=("shop", "kiosk-7", 2),
)


def test_a_report_without_findings_is_sound() -> None:
    assert CheckReport(database="state.db", rows=3, values=3).is_sound


def test_a_session_with_several_findings_is_named_once() -> None:
    report = CheckReport(database="state.db", rows=3, values=3, findings=(DAMAGE, DAMAGE))
    assert not report.is_sound
    assert report.damaged_sessions == (("shop", "kiosk-7"),)


def test_a_report_is_plain_json() -> None:
    report = CheckReport(database="state.db", rows=3, values=3, findings=(DAMAGE,))
    told = json.loads(json.dumps(report.to_dict()))
    assert told["damaged_sessions"] == [["shop", "kiosk-7"]]
    assert told["findings"][0]["row"] == "kiosk-7/2"
