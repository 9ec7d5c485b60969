"""Fixed points of the data: this file holds the people and orders that the script talks about.

They are the same for every seed, so that a customer's message always finds its order.
"""

from __future__ import annotations

from dataclasses import dataclass

from customer_service.records import OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowcaseCustomer:
    """A customer whose name and contact do not depend on the seed."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowcaseOrder:
    """An order whose owner, state and contents do not depend on the seed."""

    customer_id: str
    status: OrderStatus
    product_ids: tuple[str, ...]


CUSTOMERS = (
    ShowcaseCustomer(
        name="Marta Lindqvist", email="marta.lindqvist@example.com", phone="07700900461"
    ),
    ShowcaseCustomer(
        name="Joseph Adeyemi", email="joseph.adeyemi@example.org", phone="07700900518"
    ),
    ShowcaseCustomer(name="Helen Whitcombe", email="h.whitcombe@example.net", phone="07700900372"),
)
"""The first customers, C0001 and following."""

ORDERS = {
    "1018": ShowcaseOrder(
        customer_id="C0002", status=OrderStatus.DELIVERED, product_ids=("P003", "P062")
    ),
    "1042": ShowcaseOrder(customer_id="C0001", status=OrderStatus.SHIPPED, product_ids=("P058",)),
    "1057": ShowcaseOrder(
        customer_id="C0003", status=OrderStatus.PROCESSING, product_ids=("P015",)
    ),
}
"""Orders by number: headphones that will be reported, a parcel on its way, a fresh keyboard."""
