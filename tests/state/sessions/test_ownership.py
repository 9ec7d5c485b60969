from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.sessions.ownership import Owner, is_alive, process_started, this_process

HERE = Owner(boot="boot", space="1", pid=10, started=100)
OTHER = replace(HERE, pid=11, started=200)
LIVING = {10: 100, 11: 200}


def alive(
    owner: Owner | None,
    *,
    works_here: bool = False,
    is_lease_over: bool = True,
    is_one_machine: bool = True,
) -> bool:
    return is_alive(
        owner,
        here=HERE,
        works_here=works_here,
        is_lease_over=is_lease_over,
        is_one_machine=is_one_machine,
        started_at=LIVING.get,
    )


def test_a_run_that_nobody_has_is_nobody_s() -> None:
    assert not alive(None, works_here=True, is_lease_over=False)


@pytest.mark.parametrize("is_lease_over", [True, False])
def test_a_process_of_this_machine_is_alive_while_it_runs_whatever_a_clock_says(
    is_lease_over: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    assert alive(OTHER, is_lease_over=is_lease_over)
    assert not alive(replace(OTHER, pid=12), is_lease_over=is_lease_over)


def test_a_number_that_was_given_to_another_process_is_not_its_former_owner() -> None:
    assert not alive(replace(OTHER, started=199), is_lease_over=False)


@pytest.mark.parametrize("works_here", [True, False])
def test_this_process_knows_itself_whether_it_works_on_a_run(
    works_here: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    assert alive(HERE, works_here=works_here) is works_here


def test_an_owner_of_an_earlier_boot_is_dead_where_only_one_machine_has_the_database() -> None:
    assert not alive(replace(OTHER, boot="earlier"), is_lease_over=False)


def test_an_owner_on_another_machine_is_dead_once_its_lease_is_over() -> None:
    far = replace(OTHER, boot="other")
    assert alive(far, is_lease_over=False, is_one_machine=False)
    assert not alive(far, is_lease_over=True, is_one_machine=False)


def test_an_owner_in_another_container_is_dead_once_its_lease_is_over() -> None:
    contained = replace(OTHER, space="2")
    assert alive(contained, is_lease_over=False)
    assert not alive(contained, is_lease_over=True)


@given(
    st.from_regex(r"[0-9a-f-]{1,36}", fullmatch=True),
    st.integers(0, 2**32),
    st.integers(0, 2**22),
    st.integers(0, 2**63),
)
def test_an_owner_is_read_as_it_was_written(boot: str, space: int, pid: int, started: int) -> None:
    owner = Owner(boot=boot, space=str(space), pid=pid, started=started)
    assert Owner.parse(str(owner)) == owner


@pytest.mark.parametrize("text", ["", "boot", "a/b/c/d", "a/1/2", "a/1/2/3/4", "a/1/-2/3"])
def test_what_names_nobody_is_read_as_nobody(text: str) -> None:
    assert Owner.parse(text) is None


def test_this_process_has_the_same_name_each_time_and_lives() -> None:
    assert this_process() == this_process()
    assert this_process().pid == os.getpid()
    assert process_started(os.getpid()) == this_process().started


def test_a_process_that_ended_is_not_there_even_before_its_parent_has_looked() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_started(process.pid) is not None
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_started(process.pid) is None
    process.communicate()
    assert process_started(process.pid) is None
