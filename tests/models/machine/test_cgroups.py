"""Promises of `smallhold.models.machine.cgroups`:
this file holds tests of parsing control groups.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.machine.cgroups import (
    group_and_parents,
    parse_cpu_max,
    parse_cpu_quota,
    parse_membership,
    parse_memory,
    parse_statistics,
    smallest,
)


def test_membership_of_version_2_has_one_group() -> None:
    assert parse_membership("0::/kube/pod\n") == {"": PurePosixPath("/kube/pod")}


def test_membership_of_version_1_has_a_group_for_each_controller() -> None:
    groups = parse_membership("4:memory:/docker/a\n3:cpu,cpuacct:/b:c\nnonsense\n")
    assert groups["memory"] == PurePosixPath("/docker/a")
    assert groups["cpu"] == groups["cpuacct"] == PurePosixPath("/b:c")


def test_every_group_above_counts_too() -> None:
    paths = group_and_parents(PurePosixPath("/a/b"))
    assert paths == (PurePosixPath("a/b"), PurePosixPath("a"), PurePosixPath())


def test_a_group_cannot_lead_out_of_the_tree() -> None:
    assert group_and_parents(PurePosixPath("/../../etc")) == (PurePosixPath("etc"), PurePosixPath())


@pytest.mark.parametrize(
    ("text", "cores"),
    [("max 100000\n", None), ("150000 100000", 1.5), ("", None), ("5 0", None), ("x y z", None)],
)
def test_a_processor_limit_is_cores_or_none(text: str, cores: float | None) -> None:
    assert parse_cpu_max(text) == cores


def test_a_negative_quota_of_version_1_is_no_limit() -> None:
    assert parse_cpu_quota("-1\n", "100000\n") is None
    assert parse_cpu_quota("50000\n", "100000\n") == 0.5


@pytest.mark.parametrize(
    ("text", "value"),
    [("max\n", None), ("1048576\n", 1048576), ("9223372036854771712\n", None), ("-1", None)],
)
def test_a_memory_limit_is_bytes_or_none(text: str, value: int | None) -> None:
    assert parse_memory(text) == value


def test_statistics_are_read_line_by_line() -> None:
    assert parse_statistics("anon 5\ninactive_file 7\nodd\nbad x\n") == {
        "anon": 5,
        "inactive_file": 7,
    }


@given(st.text())
def test_any_text_is_parsed_without_an_error(text: str) -> None:
    parse_membership(text)
    parse_cpu_max(text)
    parse_cpu_quota(text, text)
    parse_statistics(text)
    limit = parse_memory(text)
    assert limit is None or limit >= 0


@given(st.lists(st.none() | st.floats(0, 1e6)))
def test_the_smallest_limit_is_below_all_others(limits: list[float | None]) -> None:
    result = smallest(limits)
    assert all(limit is None or (result is not None and result <= limit) for limit in limits)
    assert result is None or result in limits
