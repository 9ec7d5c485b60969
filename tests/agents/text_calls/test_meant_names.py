from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.text_calls.meant_names import is_slip, meant_name, plain_name

KNOWN = ("get_weather", "order_status", "cancel_order", "cancel_orders", "lock_the_door")
NAMES = st.lists(
    st.from_regex(r"[a-z]{2,8}(_[a-z]{2,8})?", fullmatch=True), unique=True, max_size=6
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("get_weather", "get_weather"),
        ("getWeather", "get_weather"),
        ("Get-Weather", "get_weather"),
        ("functions.get_weather", "get_weather"),
        ("`get_weather`", "get_weather"),
        ("get_weather.call", "get_weather"),
        ("get_weahter", "get_weather"),
        ("order_statuss", "order_status"),
        ("orderstatus", "order_status"),
    ],
)
def test_a_slip_of_the_pen_is_mended(written: str, name: str) -> None:
    assert meant_name(written, KNOWN) == name


@pytest.mark.parametrize(
    "written",
    ["cancel_ordr", "cancel_ordes", "set_weather", "unlock_the_door", "find_order", "", "weather"],
)
def test_a_name_that_may_mean_something_else_is_not(written: str) -> None:
    assert meant_name(written, KNOWN) is None


def test_a_name_that_two_tools_bear_but_for_its_form_is_not_mended() -> None:
    assert meant_name("GetWeather", ("get_weather", "getWeather")) is None
    assert meant_name("getWeather", ("get_weather", "getWeather")) == "getWeather"


@given(NAMES)
def test_an_offered_name_always_means_itself(known: list[str]) -> None:
    assert [meant_name(name, known) for name in known] == known


@given(st.text(max_size=20), NAMES)
def test_what_is_meant_is_always_offered(written: str, known: list[str]) -> None:
    assert meant_name(written, known) in (None, *known)


@pytest.mark.parametrize(
    ("written", "name"),
    [("get_order", "set_order"), ("enable_user", "disable_user"), ("turn_off", "turn_of")],
)
def test_another_word_is_no_slip(written: str, name: str) -> None:
    assert not is_slip(written, name)


def test_a_plain_name_has_neither_case_nor_separators() -> None:
    assert plain_name("Get-the_Weather.now 2") == "gettheweathernow2"
