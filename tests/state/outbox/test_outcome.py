from __future__ import annotations

from smallhold.state.outbox import DeliveryReport
from smallhold.state.outbox.outcome import Failed, Rejected, Sent


def test_a_report_counts_each_attempt_once() -> None:
    report = DeliveryReport()
    for outcome in (Sent(), Failed(error="no network"), Sent(), Rejected(error="no such order")):
        report = report.with_one(outcome)
    assert report == DeliveryReport(sent=2, failed=1, rejected=1)
