from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge.parsers.csv_rows import delimiter_of, is_header, parse_csv


def texts(table: str) -> list[str]:
    document = parse_csv(table.encode(), source="prices.csv", text_max_chars=10_000)
    return [block.text for block in document.blocks]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_name_their_columns_whatever_parts_them(delimiter: str) -> None:
    table = f"name{delimiter}price\ntea{delimiter}3\nmilk{delimiter}2\n"
    assert delimiter_of(table) == delimiter
    assert texts(table) == ["name: tea; price: 3", "name: milk; price: 2"]


def test_commas_within_semicolons_are_text() -> None:
    assert texts("name;price\ntea, green;3,50\n") == ["name: tea, green; price: 3,50"]


def test_a_table_without_names_is_read_too() -> None:
    assert not is_header(["tea", "3"])
    assert texts("tea,3\nmilk,2\n") == ["tea; 3", "milk; 2"]


def test_a_cell_may_have_lines() -> None:
    assert texts('name,note\ntea,"hot\nand green"\n') == ["name: tea; note: hot and green"]


def test_the_title_is_the_name_of_the_file() -> None:
    assert parse_csv(b"a,b\n1,2\n", source="x/prices.csv", text_max_chars=99).title == "prices"


def test_a_table_of_names_alone_is_refused() -> None:
    with pytest.raises(DocumentError, match="no text"):
        texts("name,price\n")


@given(st.text())
def test_any_text_is_a_table_or_refused(text: str) -> None:
    with suppress(DocumentError):
        assert texts(text)
