from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.watchdog import MIN_LOADING_S, Advice, Watchdog, loading_limit_s


def watchdog() -> Watchdog:
    return Watchdog(hang_timeout_s=10, loading_limit_s=600, now_s=1000)


def loaded_watchdog(*, since_s: float) -> Watchdog:
    dog = watchdog()
    assert dog.advise(now_s=since_s, is_loaded=True) is Advice.WAIT
    return dog


def test_a_worker_that_loads_is_waited_for() -> None:
    dog = watchdog()
    assert dog.advise(now_s=1599, is_loaded=False) is Advice.WAIT


def test_a_worker_that_loads_for_ever_hangs() -> None:
    dog = watchdog()
    assert dog.advise(now_s=1601, is_loaded=False) is Advice.END


def test_a_larger_file_may_take_longer_to_load() -> None:
    assert loading_limit_s(0) == loading_limit_s(10**9) == MIN_LOADING_S
    assert loading_limit_s(40 * 10**9) == 2000


def test_silence_after_loading_is_looked_into() -> None:
    dog = loaded_watchdog(since_s=1005)
    assert dog.advise(now_s=1014, is_loaded=True) is Advice.WAIT
    assert dog.advise(now_s=1015, is_loaded=True) is Advice.PROBE


def test_only_one_canary_flies_at_a_time() -> None:
    dog = loaded_watchdog(since_s=1000)
    assert dog.advise(now_s=1010, is_loaded=True) is Advice.PROBE
    assert dog.advise(now_s=1500, is_loaded=True) is Advice.WAIT


def test_a_sign_of_life_is_good_for_a_while() -> None:
    dog = loaded_watchdog(since_s=1000)
    assert dog.advise(now_s=1010, is_loaded=True) is Advice.PROBE
    dog.finish_probe(now_s=1011, is_alive=True)
    assert dog.advise(now_s=1020, is_loaded=True) is Advice.WAIT
    assert dog.advise(now_s=1021, is_loaded=True) is Advice.PROBE


def test_a_canary_that_was_given_up_proves_nothing_and_another_may_fly() -> None:
    dog = loaded_watchdog(since_s=1000)
    assert dog.advise(now_s=1010, is_loaded=True) is Advice.PROBE
    dog.finish_probe(now_s=1011, is_alive=False)
    assert dog.advise(now_s=1011, is_loaded=True) is Advice.PROBE


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from(["ask", "alive", "given up"])), max_size=30
    )
)
def test_canaries_never_overlap_and_silence_never_goes_unnoticed(
    events: list[tuple[float, Literal["ask", "alive", "given up"]]],
) -> None:
    now_s = alive_s = 1000.0
    dog = loaded_watchdog(since_s=now_s)
    is_flying = False
    for wait_s, event in events:
        now_s += wait_s
        if event != "ask":
            if is_flying:
                dog.finish_probe(now_s=now_s, is_alive=event == "alive")
                alive_s = now_s if event == "alive" else alive_s
                is_flying = False
            continue
        advice = dog.advise(now_s=now_s, is_loaded=True)
        expected = not is_flying and now_s >= alive_s + 10
        assert advice is (Advice.PROBE if expected else Advice.WAIT)
        is_flying = is_flying or expected
