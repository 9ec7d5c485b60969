"""What the tools read: this file holds the look-ups in the shop's database."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from customer_service.phone import normal_phone
from customer_service.records import Product

NAME_CHARS = 3
"""Fewer letters than this single out nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """What a clerk sees of a customer at first."""

    customer_id: str
    name: str
    email: str
    city: str
    since: str


def customers(connection: sqlite3.Connection, *, text: str) -> tuple[CustomerRow, ...]:
    """Find customers by e-mail address, phone number, customer number or part of a name."""
    wanted = " ".join(text.split()).casefold()
    phone = normal_phone(wanted)
    name = wanted if len(wanted) >= NAME_CHARS and re.search(r"[^\W\d]{2}", wanted) else None
    rows = connection.execute(
        "SELECT customer_id, name, email, city, since FROM customers"
        " WHERE lower(email) = :wanted OR lower(customer_id) = :wanted OR phone = :phone"
        " OR instr(' ' || lower(name) || ' ', ' ' || :name || ' ') > 0"
        " ORDER BY customer_id",
        {"wanted": wanted, "phone": phone, "name": name},
    ).fetchall()
    return tuple(
        CustomerRow(customer_id=row[0], name=row[1], email=row[2], city=row[3], since=row[4])
        for row in rows
    )


def recent_orders(
    connection: sqlite3.Connection, *, customer_id: str, limit: int
) -> tuple[str, ...]:
    """Give a customer's latest orders as short texts, newest first."""
    rows = connection.execute(
        "SELECT order_id, status FROM orders WHERE customer_id = ?"
        " ORDER BY placed_on DESC, order_id DESC LIMIT ?",
        (customer_id, limit),
    ).fetchall()
    return tuple(f"{order_id} ({status})" for order_id, status in rows)


def order(connection: sqlite3.Connection, *, order_id: str) -> dict[str, str | list[str]] | None:
    """Give the facts of an order that are known, or `None` for an unknown number."""
    row = connection.execute(
        "SELECT order_id, status, placed_on, shipped_on, expected_on, delivered_on, carrier,"
        " tracking FROM orders WHERE order_id = ?",
        (order_id,),
    ).fetchone()
    if row is None:
        return None
    names = (
        "order", "status", "placed_on", "shipped_on", "expected_on", "delivered_on", "carrier",
        "tracking",
    )  # fmt: skip
    facts: dict[str, str | list[str]] = {
        name: str(value) for name, value in zip(names, row, strict=True) if value is not None
    }
    if "delivered_on" in facts:
        # Once a parcel is there, the forecast only confuses a small model.
        del facts["expected_on"]
    lines = connection.execute(
        "SELECT quantity, name FROM order_lines JOIN products USING (product_id)"
        " WHERE order_id = ? ORDER BY product_id",
        (order_id,),
    ).fetchall()
    return {**facts, "items": [f"{quantity} x {name}" for quantity, name in lines]}


def products(connection: sqlite3.Connection) -> tuple[Product, ...]:
    """Give the whole range in the order of its numbers."""
    rows = connection.execute(
        "SELECT product_id, name, category, price_pence, stock, warranty_months FROM products"
        " ORDER BY product_id"
    ).fetchall()
    return tuple(
        Product(
            product_id=row[0],
            name=row[1],
            category=row[2],
            price_pence=row[3],
            stock=row[4],
            warranty_months=row[5],
        )
        for row in rows
    )
