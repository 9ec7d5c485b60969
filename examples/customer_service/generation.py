"""How the shop's past is invented: this file holds the pure functions from a seed to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from customer_service.records import (
    TODAY,
    Customer,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    Shipment,
    Shop,
)
from customer_service.shelf import Words, read_articles, read_products, read_words
from customer_service.showcase import CUSTOMERS, ORDERS, ShowcaseCustomer

CUSTOMER_COUNT = 240
FIRST_ORDER = 401
LAST_ORDER = 1060
HISTORY_DAYS = 120
"""The first order was placed so many days before `TODAY`."""
CARRIERS = (("Northpost", "NP"), ("Swift Parcel", "SW"), ("Greenway Couriers", "GW"))
"""Invented carriers with the letters that their tracking numbers start with."""
DRAMA_NUMBERS = range(1000)
"""Last digits of 07700 900xxx. Source: Ofcom, telephone numbers for drama use; nobody owns them."""

_PACKING_DAYS = 1
_TRAVEL_DAYS = 3
_FINISHED_AGE_DAYS = _PACKING_DAYS + _TRAVEL_DAYS
_LATE_DAYS = 5
_UNDER_WAY = (OrderStatus.SHIPPED, OrderStatus.SHIPPED, OrderStatus.SHIPPED, OrderStatus.DELAYED)
_FINISHED = (OrderStatus.DELIVERED,) * 17 + (
    OrderStatus.RETURNED,
    OrderStatus.RETURNED,
    OrderStatus.CANCELLED,
)
_UNSENT = frozenset({OrderStatus.PROCESSING, OrderStatus.CANCELLED})
_ARRIVED = frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED})


def generate_shop(*, seed: int) -> Shop:
    """Invent a shop; the same seed gives the same rows on any machine."""
    random = Random(seed)  # noqa: S311 - reproducible fiction, not a secret
    products = read_products()
    customers = _customers(random, words=read_words())
    orders = tuple(
        _order(random, number=number, products=products)
        for number in range(FIRST_ORDER, LAST_ORDER + 1)
    )
    return Shop(products=products, customers=customers, orders=orders, articles=read_articles())


def _customers(random: Random, *, words: Words) -> tuple[Customer, ...]:
    taken = {person.phone[-3:] for person in CUSTOMERS}
    free = [number for number in DRAMA_NUMBERS if f"{number:03d}" not in taken]
    names = random.sample(
        [(first, last) for first in words.first_names for last in words.last_names],
        k=CUSTOMER_COUNT - len(CUSTOMERS),
    )
    phones = random.sample(free, k=len(names))
    invented = [
        ShowcaseCustomer(
            name=f"{first} {last}",
            email=f"{first}.{last}@example.com".lower(),
            phone=f"07700900{phone:03d}",
        )
        for (first, last), phone in zip(names, phones, strict=True)
    ]
    return tuple(
        _customer(random, person=person, number=number, words=words)
        for number, person in enumerate([*CUSTOMERS, *invented], start=1)
    )


def _customer(random: Random, *, person: ShowcaseCustomer, number: int, words: Words) -> Customer:
    city, district = random.choice(words.towns)
    house = random.randrange(1, 120)
    letters = "".join(random.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))
    return Customer(
        customer_id=f"C{number:04d}",
        name=person.name,
        email=person.email,
        phone=person.phone,
        street=f"{house} {random.choice(words.streets)}",
        postcode=f"{district} {random.randrange(1, 10)}{letters}",
        city=city,
        since=TODAY - timedelta(days=random.randrange(HISTORY_DAYS, 2000)),
    )


def _order(random: Random, *, number: int, products: Sequence[Product]) -> Order:
    order_id = str(number)
    age_days = (LAST_ORDER - number) * HISTORY_DAYS // (LAST_ORDER - FIRST_ORDER)
    status = _status(random, age_days=age_days)
    customer_id = f"C{random.randrange(1, CUSTOMER_COUNT + 1):04d}"
    chosen = random.sample(list(products), k=random.choice((1, 1, 1, 2, 2, 3)))
    pinned = ORDERS.get(order_id)
    if pinned is not None:
        status, customer_id = pinned.status, pinned.customer_id
        chosen = [product for product in products if product.product_id in pinned.product_ids]
    return Order(
        order_id=order_id,
        customer_id=customer_id,
        status=status,
        placed_on=TODAY - timedelta(days=age_days),
        shipment=_shipment(random, status=status, age_days=age_days),
        lines=tuple(_line(random, product=product) for product in chosen),
    )


def _status(random: Random, *, age_days: int) -> OrderStatus:
    if age_days <= _PACKING_DAYS:
        return OrderStatus.PROCESSING
    return random.choice(_UNDER_WAY if age_days <= _FINISHED_AGE_DAYS else _FINISHED)


def _shipment(random: Random, *, status: OrderStatus, age_days: int) -> Shipment:
    carrier, letters = random.choice(CARRIERS)
    tracking = f"{letters}{random.randrange(10**9):09d}"
    shipped_on = TODAY - timedelta(days=age_days - _PACKING_DAYS)
    arrives_on = shipped_on + timedelta(days=_TRAVEL_DAYS)
    if status is OrderStatus.CANCELLED:
        return Shipment()
    if status in _UNSENT:
        return Shipment(expected_on=arrives_on)
    if status is OrderStatus.DELAYED:
        arrives_on += timedelta(days=_LATE_DAYS)
    return Shipment(
        shipped_on=shipped_on,
        expected_on=arrives_on,
        delivered_on=arrives_on if status in _ARRIVED else None,
        carrier=carrier,
        tracking=tracking,
    )


def _line(random: Random, *, product: Product) -> OrderLine:
    return OrderLine(
        product_id=product.product_id,
        quantity=random.choice((1, 1, 1, 1, 2)),
        unit_price_pence=product.price_pence,
    )
