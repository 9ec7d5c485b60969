"""Promises of `smallhold.evals.faults.case`: this file holds tests of what a case describes."""

from __future__ import annotations

from smallhold.evals.faults import FAULT_CASES, Evidence, Form
from smallhold.evals.faults.desk import Desk


def test_the_answer_of_a_run_is_the_last_text_and_empty_without_any() -> None:
    assert Evidence(answers=("first", "last")).answer == "last"
    assert not Evidence().answer


def test_every_case_says_in_sentences_what_goes_wrong_and_what_is_right() -> None:
    assert all(case.fault.endswith(".") and case.right.endswith(".") for case in FAULT_CASES)


def test_every_tool_on_offer_is_one_of_the_desk_and_its_behaviour_is_told() -> None:
    for case in FAULT_CASES:
        for exchange in case.exchanges:
            for method in exchange.tools.values():
                assert hasattr(Desk, method), (case.name, method)
        offered = {name for exchange in case.exchanges for name in exchange.tools}
        assert set(case.behaviours) <= offered, case.name


def test_every_case_can_arise_on_native_calls_which_is_where_others_meet_it() -> None:
    assert all(Form.NATIVE in case.forms for case in FAULT_CASES)


def test_no_user_message_of_a_case_is_part_of_another_one() -> None:
    for case in FAULT_CASES:
        texts = [exchange.text for exchange in case.exchanges]
        assert not [(a, b) for a in texts for b in texts if a != b and a in b], case.name
