from __future__ import annotations

import threading

from smallhold.runtimes.residency.background import DaemonThreads


def test_work_runs_in_a_thread_that_does_not_keep_the_program() -> None:
    found: list[threading.Thread] = []
    done = threading.Event()

    def work() -> None:
        found.append(threading.current_thread())
        done.set()

    DaemonThreads().soon(work)
    assert done.wait(5)
    assert found[0] is not threading.current_thread()
    assert found[0].daemon


def test_a_timer_runs_its_work_in_time_unless_it_is_called_off() -> None:
    done, never = threading.Event(), threading.Event()
    background = DaemonThreads()
    call_off = background.later(0.05, never.set)
    background.later(0.06, done.set)
    call_off()
    assert done.wait(5)
    assert not never.is_set()
