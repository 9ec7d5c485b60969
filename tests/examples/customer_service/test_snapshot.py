"""Tests of the state that judges compare."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from customer_service.data import transaction
from customer_service.snapshot import take_snapshot


def test_an_untouched_shop_gives_equal_snapshots(shop: Path) -> None:
    assert take_snapshot(shop) == take_snapshot(shop)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET stock = stock + 1 WHERE product_id = 'P001'",
        "UPDATE customers SET phone = '0' WHERE customer_id = 'C0001'",
        "UPDATE orders SET status = 'cancelled' WHERE order_id = '1042'",
        "DELETE FROM order_lines WHERE order_id = '1018' AND product_id = 'P062'",
        "UPDATE articles SET body = '' WHERE article_id = 'audio-1'",
    ],
)
def test_the_seal_breaks_when_anything_else_is_changed(shop: Path, change: str) -> None:
    before = take_snapshot(shop)
    with transaction(shop) as connection:
        assert connection.execute(change).rowcount == 1
    assert take_snapshot(shop).rest_sha256 != before.rest_sha256


def test_a_missing_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        take_snapshot(tmp_path / "none.db")
