"""Tests of the invented past of the shop."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_service.generation import generate_shop
from customer_service.records import TODAY, Order, OrderStatus, Shop
from customer_service.showcase import CUSTOMERS, ORDERS


@pytest.fixture(scope="module")
def past() -> Shop:
    return generate_shop(seed=3)


def known_days(order: Order) -> list[date]:
    shipment = order.shipment
    days = (order.placed_on, shipment.shipped_on, shipment.delivered_on)
    return [day for day in days if day is not None]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_numbers_addresses_and_phones_are_unique_for_any_seed(seed: int) -> None:
    shop = generate_shop(seed=seed)
    for keys in (
        [customer.customer_id for customer in shop.customers],
        [customer.email for customer in shop.customers],
        [customer.phone for customer in shop.customers],
        [order.order_id for order in shop.orders],
        [product.product_id for product in shop.products],
        [product.name for product in shop.products],
        [article.article_id for article in shop.articles],
    ):
        assert len(set(keys)) == len(keys)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_the_showcase_orders_are_the_same_for_any_seed(seed: int) -> None:
    shop = generate_shop(seed=seed)
    orders = {order.order_id: order for order in shop.orders}
    for order_id, pinned in ORDERS.items():
        order = orders[order_id]
        assert (order.customer_id, order.status) == (pinned.customer_id, pinned.status)
        assert tuple(line.product_id for line in order.lines) == pinned.product_ids


def test_the_showcase_customers_come_first(past: Shop) -> None:
    first = [(person.name, person.email, person.phone) for person in past.customers[:3]]
    assert first == [(person.name, person.email, person.phone) for person in CUSTOMERS]


def test_no_order_was_placed_shipped_or_delivered_in_the_future(past: Shop) -> None:
    for order in past.orders:
        days = known_days(order)
        assert days == sorted(days), order
        assert days[-1] <= TODAY, order


def test_order_numbers_rise_with_their_dates(past: Shop) -> None:
    dates = [order.placed_on for order in past.orders]
    assert dates == sorted(dates)


def test_every_status_occurs(past: Shop) -> None:
    assert {order.status for order in past.orders} == set(OrderStatus)


def test_only_sent_orders_have_a_carrier_and_only_arrived_ones_a_delivery(past: Shop) -> None:
    unsent = {OrderStatus.PROCESSING, OrderStatus.CANCELLED}
    arrived = {OrderStatus.DELIVERED, OrderStatus.RETURNED}
    for order in past.orders:
        shipment = order.shipment
        assert (shipment.carrier is None) == (order.status in unsent), order
        assert (shipment.tracking is None) == (order.status in unsent), order
        assert (shipment.delivered_on is not None) == (order.status in arrived), order


def test_every_sold_out_product_has_a_substitute_in_stock_in_its_category(past: Shop) -> None:
    sold_out = [product for product in past.products if product.stock == 0]
    stocked = {product.category for product in past.products if product.stock > 0}
    assert len(sold_out) >= 10
    assert {product.category for product in sold_out} <= stocked


def test_every_phone_number_is_one_that_belongs_to_nobody(past: Shop) -> None:
    assert all(customer.phone.startswith("07700900") for customer in past.customers)
    assert all(len(customer.phone) == 11 for customer in past.customers)
