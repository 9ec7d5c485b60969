"""Tests of the shop's database as a file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from customer_service.data import create_database, reading, transaction

TABLES = ("products", "customers", "orders", "order_lines", "articles")
EXAMPLES = Path(__file__).parents[3] / "examples"


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608 - names from the constant above
            for table in TABLES
        }


def count(path: Path, table: str) -> int:
    return len(rows_of(path)[table])


def test_the_same_seed_gives_the_same_rows(pristine_shop: Path, tmp_path: Path) -> None:
    create_database(tmp_path / "again.db")
    assert rows_of(tmp_path / "again.db") == rows_of(pristine_shop)


def test_the_rows_do_not_depend_on_the_hash_seed_of_the_process(
    pristine_shop: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from customer_service.data import create_database;"
        "create_database(Path(sys.argv[1]))"
    )
    other = tmp_path / "other.db"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(EXAMPLES)}
    subprocess.run([sys.executable, "-c", code, str(other)], check=True, env=environment)
    assert rows_of(other) == rows_of(pristine_shop)


def test_another_seed_gives_other_customers_and_orders_but_the_same_range(
    pristine_shop: Path, tmp_path: Path
) -> None:
    create_database(tmp_path / "other.db", seed=1)
    ours, others = rows_of(pristine_shop), rows_of(tmp_path / "other.db")
    assert ours["customers"] != others["customers"]
    assert ours["orders"] != others["orders"]
    assert ours["products"] == others["products"]


def test_the_shop_has_the_size_of_a_real_one(pristine_shop: Path) -> None:
    assert count(pristine_shop, "customers") >= 200
    assert count(pristine_shop, "orders") >= 600
    assert count(pristine_shop, "products") >= 80
    assert count(pristine_shop, "articles") >= 30


def test_every_reference_in_the_database_has_its_target(pristine_shop: Path) -> None:
    with reading(pristine_shop) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_new_shop_has_no_tickets_callbacks_or_activity(pristine_shop: Path) -> None:
    with reading(pristine_shop) as connection:
        for table in ("tickets", "callbacks", "activity"):
            query = f"SELECT count(*) FROM {table}"  # noqa: S608 - names from the line above
            assert connection.execute(query).fetchone() == (0,)


def test_an_existing_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"shop\.db"):
        create_database(path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_left_over_of_an_interrupted_creation_does_not_stop_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "shop.db.new").write_text("half a shop", encoding="utf-8")
    create_database(tmp_path / "shop.db")
    assert [file.name for file in tmp_path.iterdir()] == ["shop.db"]


def test_a_misspelt_path_is_an_error_and_creates_no_file(tmp_path: Path) -> None:
    missing = tmp_path / "shpo.db"
    with pytest.raises(sqlite3.OperationalError), transaction(missing):
        pass
    with pytest.raises(sqlite3.OperationalError), reading(missing):
        pass
    assert not missing.exists()


def sell_out_and_fail(path: Path) -> None:
    with transaction(path) as connection:
        connection.execute("UPDATE products SET stock = 0")
        connection.execute("UPDATE products SET stock = -1")


def test_a_failed_transaction_writes_nothing(shop: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="stock >= 0"):
        sell_out_and_fail(shop)
    with reading(shop) as connection:
        assert connection.execute("SELECT sum(stock) FROM products").fetchone()[0] > 0


def test_a_reader_cannot_write(shop: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), reading(shop) as connection:
        connection.execute("DELETE FROM orders")
