"""What the shop keeps: this file holds the frozen rows of its database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

SHOP_NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""The shop's present, a Monday morning. Fixed, so that the demo gives the same answers any day."""

TODAY = SHOP_NOW.date()
"""The day that all dates of the data are counted from."""


class OrderStatus(StrEnum):
    """Where an order stands."""

    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One article of the range."""

    product_id: str
    name: str
    category: str
    price_pence: int
    stock: int
    """Pieces in the warehouse; 0 is sold out."""
    warranty_months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer."""

    customer_id: str
    name: str
    email: str
    phone: str
    """Digits only, with the leading zero of a national number."""
    street: str
    postcode: str
    city: str
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """How far an order has travelled; `None` for what has not happened or is not known."""

    shipped_on: date | None = None
    expected_on: date | None = None
    delivered_on: date | None = None
    carrier: str | None = None
    tracking: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """Some pieces of one product in an order."""

    product_id: str
    quantity: int
    unit_price_pence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order."""

    order_id: str
    customer_id: str
    status: OrderStatus
    placed_on: date
    shipment: Shipment
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One text of the shop's knowledge."""

    article_id: str
    topic: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All rows of a freshly opened shop."""

    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]
    articles: tuple[Article, ...]
