"""The tools of all cases as plain functions: this file holds a desk that does nothing by itself.

It needs the standard library alone, so that any framework can load it by its path. What a tool does
is told by whoever makes the desk.
"""

# No `from __future__ import annotations`: frameworks read these annotations at run time.

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Act: TypeAlias = Callable[[str, Mapping[str, object]], str]
"""Does what the tool of this name does with these arguments."""
ToolFunction: TypeAlias = Callable[..., str]


@dataclass(frozen=True)
class Parcel:
    """Where a parcel goes."""

    street: str
    city: str


class Desk:
    """A shop's desk; its methods are what models are offered."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def get_weather(self, city: str, days: int = 1) -> str:
        """Tell the weather in a city.

        Args:
            city: The city's name.
            days: How many days ahead.
        """
        return self._act("get_weather", {"city": city, "days": days})

    def order_status(self, order_id: str) -> str:
        """Look up an order.

        Args:
            order_id: The number printed on the receipt.
        """
        return self._act("order_status", {"order_id": order_id})

    def cancel_order(self, order_id: str) -> str:
        """Cancel one order.

        Args:
            order_id: The number printed on the receipt.
        """
        return self._act("cancel_order", {"order_id": order_id})

    def cancel_orders(self, customer: str) -> str:
        """Cancel all orders of a customer.

        Args:
            customer: The customer's name.
        """
        return self._act("cancel_orders", {"customer": customer})

    def charge_card(self, order_id: str, amount_cents: int) -> str:
        """Charge the customer's card for an order.

        Args:
            order_id: The number printed on the receipt.
            amount_cents: The amount in cents.
        """
        return self._act("charge_card", {"order_id": order_id, "amount_cents": amount_cents})

    def book_table(self, guests: int, day: date) -> str:
        """Book a table.

        Args:
            guests: How many guests come.
            day: The day, as YYYY-MM-DD.
        """
        return self._act("book_table", {"guests": guests, "day": day})

    def book_room(self, people: int) -> str:
        """Book the meeting room.

        Args:
            people: How many people come.
        """
        return self._act("book_room", {"people": people})

    def book_larger_room(self, guests: int = 1) -> str:
        """Book the meeting room.

        Args:
            guests: How many guests come.
        """
        return self._act("book_room", {"guests": guests})

    def set_heating(self, room: Literal["kitchen", "bedroom"], degrees: int) -> str:
        """Set the heating of a room.

        Args:
            room: The room.
            degrees: Degrees Celsius.
        """
        return self._act("set_heating", {"room": room, "degrees": degrees})

    def ship(self, parcel: Parcel, express: bool = False) -> str:  # noqa: FBT001, FBT002 - a model fills it by name
        """Ship a parcel.

        Args:
            parcel: Where the parcel goes.
            express: Whether it must arrive tomorrow.
        """
        return self._act("ship", {"parcel": parcel, "express": express})

    def read_page(self, address: str) -> str:
        """Read a web page.

        Args:
            address: The page's address.
        """
        return self._act("read_page", {"address": address})

    def read_log(self, name: str) -> str:
        """Read a log.

        Args:
            name: The log's name.
        """
        return self._act("read_log", {"name": name})

    def search(self, query: str) -> str:
        """Search the handbook.

        Args:
            query: What to look for.
        """
        return self._act("search", {"query": query})

    def delete_account(self, customer: str) -> str:
        """Delete a customer's account for good.

        Args:
            customer: The customer's name.
        """
        return self._act("delete_account", {"customer": customer})


def tools_of(desk: Desk, names: Mapping[str, str]) -> dict[str, ToolFunction]:
    """Pick tools of a desk.

    Args:
        desk: The desk.
        names: The name that a model reads, and the method that it stands for.
    """
    return {name: getattr(desk, method) for name, method in names.items()}
