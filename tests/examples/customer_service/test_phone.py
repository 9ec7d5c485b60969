"""Tests of telephone numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_service.phone import normal_phone


@pytest.mark.parametrize(
    "written",
    [
        "07700 900461",
        "07700900461",
        "+44 7700 900461",
        "+44 (0)7700 900461",
        "0044 7700 900 461",
        "(07700) 900-461",
        " 07700.900.461 ",
    ],
)
def test_one_number_has_one_form_however_it_is_written(written: str) -> None:
    assert normal_phone(written) == "07700900461"


@pytest.mark.parametrize("written", ["+49 30 23125 014", "0049 30 23125014"])
def test_a_foreign_number_keeps_its_country_code(written: str) -> None:
    assert normal_phone(written) == "+493023125014"


@pytest.mark.parametrize(
    "text",
    ["", "phone", "your phone number", "tomorrow at 10", "12", "123-456-7890", "0123456789",
     "555-123-4567", "00000000000", "0777777777", "customer's number: 07700 900461"],
)  # fmt: skip
def test_what_is_no_number_to_call_is_refused(text: str) -> None:
    assert normal_phone(text) is None


@given(text=st.text(alphabet="+0123456789 ()-./x", max_size=24))
def test_a_normal_form_stays_as_it_is(text: str) -> None:
    phone = normal_phone(text)
    if phone is not None:
        assert normal_phone(phone) == phone


@given(last=st.integers(min_value=0, max_value=999))
def test_every_number_of_the_shops_customers_can_be_called(last: int) -> None:
    assert normal_phone(f"07700 900{last:03d}") == f"07700900{last:03d}"
