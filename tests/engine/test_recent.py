from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.recent import RecentValues


def test_a_value_is_found_again() -> None:
    values = RecentValues[str, int](limit=2)
    values.put("a", 1)
    assert values.get("a") == 1
    assert values.get("b") is None


def test_the_value_unused_for_longest_goes_first() -> None:
    values = RecentValues[str, int](limit=2)
    values.put("a", 1)
    values.put("b", 2)
    values.get("a")
    values.put("c", 3)
    assert [values.get(key) for key in "abc"] == [1, None, 3]


def test_a_new_value_replaces_the_old_one_of_its_key() -> None:
    values = RecentValues[str, int](limit=2)
    values.put("a", 1)
    values.put("b", 2)
    values.put("a", 3)
    assert [values.get(key) for key in "ab"] == [3, 2]


@given(keys=st.lists(st.integers(0, 9), max_size=40), limit=st.integers(1, 5))
def test_the_last_keys_used_are_there_and_no_more(keys: list[int], limit: int) -> None:
    values = RecentValues[int, int](limit=limit)
    for key in keys:
        values.put(key, key)
    recent = list(dict.fromkeys(reversed(keys)))
    assert {key for key in range(10) if values.get(key) is not None} == set(recent[:limit])
