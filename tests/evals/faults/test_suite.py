"""Promises of `smallhold.evals.faults.suite`: this file holds tests of the list of cases."""

from __future__ import annotations

import pytest

from smallhold.evals.faults import FAULT_CASES, cases_named
from smallhold.exceptions import ConfigError


def test_there_are_at_least_twenty_cases_and_each_has_its_name() -> None:
    names = [case.name for case in FAULT_CASES]
    assert len(set(names)) == len(names) >= 20


def test_the_four_faults_that_were_measured_first_are_among_them() -> None:
    first = ["arguments_not_json", "wrong_type", "unknown_tool", "same_call_for_ever"]
    assert [case.name for case in cases_named(first)] == first


def test_no_name_means_all_cases() -> None:
    assert cases_named([]) == FAULT_CASES


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match="choose of arguments_not_json"):
        cases_named(["no_such_case"])
