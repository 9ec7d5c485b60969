"""The shop's database as a file: this file holds its creation and the way to open it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from customer_service.generation import generate_shop
from customer_service.records import Order, Shop
from customer_service.shelf import FOLDER

DEFAULT_SEED = 20261116
"""The seed of the shop that the demo opens."""
LOCK_WAIT_S = 10.0
"""How long a tool waits while another one writes; a write takes milliseconds."""


def create_database(path: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Create the shop's SQLite database; the same seed gives the same rows.

    The file appears whole or not at all.

    Args:
        path: The file to create. Its folder must exist.
        seed: Which shop to invent.

    Raises:
        FileExistsError: There is a file at `path`; it is left as it is.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    shop = generate_shop(seed=seed)
    schema = (FOLDER / "schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(unfinished)) as connection, connection:
        connection.executescript(schema)
        _insert(connection, shop)
    unfinished.rename(path)


@contextmanager
def transaction(path: Path) -> Generator[sqlite3.Connection]:
    """Open the database for one piece of work, written as a whole or not at all.

    The write lock is taken at once, so that two tools in two threads queue up instead of failing.

    Raises:
        sqlite3.OperationalError: There is no database at `path`, or it stayed locked.
    """
    with closing(_connect(path, mode="rw")) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


@contextmanager
def reading(path: Path) -> Generator[sqlite3.Connection]:
    """Open the database for reading one consistent state.

    Raises:
        sqlite3.OperationalError: There is no database at `path`.
    """
    with closing(_connect(path, mode="ro")) as connection:
        connection.execute("BEGIN")
        yield connection


def _connect(path: Path, *, mode: str) -> sqlite3.Connection:
    # A plain path would create an empty database when the name is misspelt.
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_WAIT_S, isolation_level=None)


def _insert(connection: sqlite3.Connection, shop: Shop) -> None:
    connection.executemany(
        "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)",
        [
            (p.product_id, p.name, p.category, p.price_pence, p.stock, p.warranty_months)
            for p in shop.products
        ],
    )
    connection.executemany(
        "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (c.customer_id, c.name, c.email, c.phone, c.street, c.postcode, c.city, _iso(c.since))
            for c in shop.customers
        ],
    )
    connection.executemany(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_order_row(order) for order in shop.orders],
    )
    connection.executemany(
        "INSERT INTO order_lines VALUES (?, ?, ?, ?)",
        [
            (order.order_id, line.product_id, line.quantity, line.unit_price_pence)
            for order in shop.orders
            for line in order.lines
        ],
    )
    connection.executemany(
        "INSERT INTO articles VALUES (?, ?, ?, ?)",
        [(a.article_id, a.topic, a.title, a.body) for a in shop.articles],
    )


def _order_row(order: Order) -> tuple[str | None, ...]:
    shipment = order.shipment
    return (
        order.order_id,
        order.customer_id,
        order.status.value,
        _iso(order.placed_on),
        _iso(shipment.shipped_on),
        _iso(shipment.expected_on),
        _iso(shipment.delivered_on),
        shipment.carrier,
        shipment.tracking,
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
