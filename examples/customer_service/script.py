"""Twelve customers write to the shop: this file holds their messages, each with its judge.

Every message opens a conversation of its own. The orders and people named are those of
`showcase.py`, the products those of `products.csv`, so the script fits a shop of any seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from customer_service.judge import (
    Judge,
    LookUp,
    booked_callback,
    created_nothing,
    left_untouched,
    looked_up,
    opened_ticket,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One customer's message."""

    id: str
    message: str
    goal: str
    """The end state that the judge asks for, in words for a report."""
    judge: Judge


def _order(order_id: str) -> LookUp:
    return LookUp(tool="order_status", subject=order_id)


def _stock(product_id: str) -> LookUp:
    return LookUp(tool="product_stock", subject=product_id)


TASKS = (
    Task(
        id="order-shipped",
        message="Hi, where is my order 1042?",
        goal="Order 1042 looked up.",
        judge=looked_up(_order("1042")),
    ),
    Task(
        id="order-processing",
        message=(
            "I ordered a keyboard this morning, the order number is 1057. Has it been sent yet?"
        ),
        goal="Order 1057 looked up; the keyboard's stock may be looked up too.",
        judge=looked_up(_order("1057"), also=(_stock("P015"),)),
    ),
    Task(
        id="order-unknown",
        message="Can you tell me when order 8841 will arrive?",
        goal="Order 8841 looked up in vain.",
        judge=looked_up(LookUp(tool="order_status", subject="8841", outcome="not_found")),
    ),
    Task(
        id="stock-lamp",
        message="Do you have the Glimmer Desk Lamp in stock?",
        goal="Stock of the Glimmer Desk Lamp looked up.",
        judge=looked_up(_stock("P064")),
    ),
    Task(
        id="stock-price",
        message="Hello! How much is the Voltane 20K power bank and is it available right now?",
        goal="Price and stock of the Voltane 20K Power Bank looked up.",
        judge=looked_up(_stock("P058")),
    ),
    Task(
        id="alternatives",
        message=(
            "The Auralis Wave 2 headphones are sold out. Is there something similar you can "
            "recommend that is in stock?"
        ),
        goal="Alternatives to the headphones looked up; their own stock may be looked up too.",
        judge=looked_up(
            LookUp(tool="find_alternatives", subject="P001"),
            LookUp(tool="find_alternatives", subject="headphones"),
            also=(_stock("P001"),),
        ),
    ),
    Task(
        id="customer-email",
        message=(
            "I'm not sure if I already have an account with you. Could you check for "
            "marta.lindqvist@example.com?"
        ),
        goal="Customer C0001 looked up.",
        judge=looked_up(LookUp(tool="find_customer", subject="C0001")),
    ),
    Task(
        id="defect-ticket",
        message=(
            "The headphones from my order 1018 are defective, the left side makes no sound any "
            "more. Please open a ticket."
        ),
        goal="One ticket for order 1018, category defect; the order may be looked up.",
        judge=opened_ticket(order_id="1018", categories={"defect"}, also=(_order("1018"),)),
    ),
    Task(
        id="callback",
        message="Please call me back tomorrow at 10:30, my number is 07700 900461.",
        goal="One callback to 07700900461 on 17 November at 10:30; the customer may be looked up.",
        judge=booked_callback(
            phone="07700900461",
            call_at=datetime(2026, 11, 17, 10, 30, tzinfo=UTC),
            also=(LookUp(tool="find_customer", subject="C0001"),),
        ),
    ),
    Task(
        id="callback-without-number",
        message="Could somebody from your team give me a call tomorrow morning?",
        goal="No callback; an attempt that the shop turned down is allowed, nothing else.",
        judge=created_nothing(attempted_tool="schedule_callback"),
    ),
    Task(
        id="opening-hours",
        message="What time do you close on Saturdays?",
        goal="No tool ran.",
        judge=left_untouched(),
    ),
    Task(
        id="small-talk",
        message="What is the capital of Australia?",
        goal="No tool ran.",
        judge=left_untouched(),
    ),
)
"""The demo's script."""
