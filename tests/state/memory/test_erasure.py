from __future__ import annotations

import pytest

from smallhold.state.memory import ErasureReport, Outcome, Place, PlaceReport


def a_report(*outcomes: Outcome) -> ErasureReport:
    places = tuple(
        PlaceReport(place=Place.BACKUP, name=str(number), outcome=outcome)
        for number, outcome in enumerate(outcomes)
    )
    return ErasureReport(facts=2, vectors=1, erased_s=5.0, places=places)


def test_an_erasure_is_complete_where_nothing_is_left() -> None:
    assert a_report(Outcome.ERASED, Outcome.NOTHING).is_complete


@pytest.mark.parametrize("outcome", [Outcome.COVERED, Outcome.LEFT])
def test_a_place_that_was_not_reached_is_named(outcome: Outcome) -> None:
    report = a_report(Outcome.ERASED, outcome)
    assert not report.is_complete
    assert [place.name for place in report.unreached] == ["1"]


def test_a_report_can_be_written_as_json() -> None:
    document = a_report(Outcome.ERASED).to_dict()
    assert document["places"] == [
        {"place": "backup", "name": "0", "outcome": "erased", "detail": ""}
    ]
    assert document["is_complete"] is True
