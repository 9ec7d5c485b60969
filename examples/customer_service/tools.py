"""What the shop's agent can do: this file holds the six tools on the shop's database.

A model reads their names, first sentences and argument descriptions on every turn, so these are
short and hold no example values, which a small model would copy into its calls.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from customer_service import queries
from customer_service.callback_time import TimeProblem, read_callback_time
from customer_service.data import transaction
from customer_service.phone import normal_phone
from customer_service.product_search import ProductMatch, find_product
from customer_service.records import SHOP_NOW, Product

Reply: TypeAlias = dict[str, str | int | bool | list[str]]
"""What a tool tells the model: few, short, named facts."""
TicketCategory: TypeAlias = Literal["billing", "delivery", "defect", "return", "other"]
Outcome: TypeAlias = Literal["found", "several", "not_found", "created", "refused"]

LISTED = 3
"""The most products or orders in one reply; a small model loses its thread in longer lists."""
PROBLEM_CHARS = 1_000
"""Longest description of a problem that is stored; the rest is cut."""


class ShopTools:
    """The tools of one shop. Each call has a connection of its own, so threads may share them."""

    def __init__(self, database: Path, *, now: Callable[[], datetime] = lambda: SHOP_NOW) -> None:
        self._database = database
        self._now = now

    def find_customer(self, customer: str) -> Reply:
        """Find a customer's account.

        Args:
            customer: The customer's e-mail address, phone number or full name.
        """
        with transaction(self._database) as connection:
            matches = queries.customers(connection, text=customer)
            if len(matches) == 1:
                subject, outcome = matches[0].customer_id, "found"
                orders = queries.recent_orders(connection, customer_id=subject, limit=LISTED)
                reply: Reply = {
                    "customer_id": subject,
                    "name": matches[0].name,
                    "email": matches[0].email,
                    "city": matches[0].city,
                    "customer_since": matches[0].since,
                    "recent_orders": list(orders),
                }
            elif matches:
                # The names of other customers are nobody's business.
                subject, outcome = customer, "several"
                reply = {"error": "Several customers fit. Ask for the e-mail address."}
            else:
                subject, outcome = customer, "not_found"
                reply = {"error": f"There is no customer {customer}."}
            self._record(connection, "find_customer", subject, outcome, {"customer": customer})
            return reply

    def order_status(self, order_id: str) -> Reply:
        """Look up where an order is and when it arrives.

        Args:
            order_id: The order number.
        """
        number = _order_number(order_id)
        with transaction(self._database) as connection:
            reply = queries.order(connection, order_id=number)
            outcome = "not_found" if reply is None else "found"
            self._record(connection, "order_status", number, outcome, {"order_id": order_id})
            return dict(reply) if reply is not None else _unknown_order(number)

    def product_stock(self, product: str) -> Reply:
        """Check if a product is available and what it costs.

        Args:
            product: The product's name.
        """
        with transaction(self._database) as connection:
            match = find_product(product, products=queries.products(connection))
            subject, outcome = _judged(match, asked=product)
            self._record(connection, "product_stock", subject, outcome, {"product": product})
            if match.product is None:
                return _unsure(match, asked=product)
            return {
                "product": match.product.name,
                "price": _price(match.product.price_pence),
                "in_stock": match.product.stock > 0,
                "pieces": match.product.stock,
                "warranty": f"{match.product.warranty_months} months",
            }

    def find_alternatives(self, product: str) -> Reply:
        """Find similar products that are in stock, to replace a sold-out one.

        Args:
            product: The name of the sold-out product.
        """
        with transaction(self._database) as connection:
            products = queries.products(connection)
            match = find_product(product, products=products)
            category = _category(match)
            subject, outcome = _judged(match, asked=product)
            if match.product is None and category is not None:
                subject, outcome = category, "found"
            self._record(connection, "find_alternatives", subject, outcome, {"product": product})
        if category is None:
            return _unsure(match, asked=product)
        others = [other for other in products if other.category == category and other.stock > 0]
        wished = match.product
        if wished is not None:
            others = [other for other in others if other.product_id != wished.product_id]
            others.sort(key=lambda other: abs(other.price_pence - wished.price_pence))
        return {"category": category, "in_stock": [_offer(other) for other in others[:LISTED]]}

    def create_ticket(self, order_id: str, category: TicketCategory, problem: str) -> Reply:
        """Open a service ticket for a complaint about an order.

        Args:
            order_id: The order number.
            category: billing: wrong charge, delivery: lost or late, defect: broken or not working,
                return: wants to send it back, other.
            problem: What is wrong, in the customer's words.
        """
        number = _order_number(order_id)
        arguments = {"order_id": order_id, "category": category, "problem": problem}
        described = problem.strip()[:PROBLEM_CHARS]
        with transaction(self._database) as connection:
            is_known = queries.order(connection, order_id=number) is not None
            outcome = "created" if is_known and described else "refused"
            self._record(connection, "create_ticket", number, outcome, arguments)
            if not is_known:
                return _unknown_order(number)
            if not described:
                return {"error": "A ticket needs a description. Ask what is wrong."}
            ticket = connection.execute(
                "INSERT INTO tickets (order_id, category, problem, created_at) VALUES (?, ?, ?, ?)",
                (number, category, described, self._now().isoformat()),
            ).lastrowid
            return {"ticket": f"T{ticket}", "order": number, "category": category, "open": True}

    def schedule_callback(self, phone: str, day: str, time: str) -> Reply:
        """Arrange for a person to phone the customer.

        Args:
            phone: The customer's phone number.
            day: The day of the call: today, tomorrow, a weekday or a date.
            time: The hour of the call.
        """
        arguments = {"phone": phone, "day": day, "time": time}
        # One text, since models and people put the whole wish into either argument.
        wish = f"{day} {time}" if day.strip() != time.strip() else day
        number, call_at = normal_phone(phone), read_callback_time(wish, now=self._now())
        with transaction(self._database) as connection:
            if number is None or isinstance(call_at, TimeProblem):
                self._record(connection, "schedule_callback", phone, "refused", arguments)
                problem = "That is no full phone number. Ask the customer for it."
                return {"error": problem if number is None else str(call_at)}
            self._record(connection, "schedule_callback", number, "created", arguments)
            callback = connection.execute(
                "INSERT INTO callbacks (phone, call_at, created_at) VALUES (?, ?, ?)",
                (number, call_at.isoformat(), self._now().isoformat()),
            ).lastrowid
            when = f"{call_at:%A} {call_at.day} {call_at:%B}, {call_at:%H:%M}"
            return {"callback": f"B{callback}", "phone": number, "time": when}

    def _record(
        self,
        connection: sqlite3.Connection,
        tool: str,
        subject: str,
        outcome: Outcome,
        arguments: Mapping[str, str],
    ) -> None:
        connection.execute(
            "INSERT INTO activity (tool, subject, outcome, arguments, created_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (tool, subject, outcome, json.dumps(arguments), self._now().isoformat()),
        )


def shop_tools(
    database: Path, *, now: Callable[[], datetime] = lambda: SHOP_NOW
) -> list[Callable[..., Reply]]:
    """Make the six tools for one database.

    Args:
        database: A file that `create_database` has made.
        now: Gives the present; the fixed present of the data by default, so that runs repeat.
    """
    tools = ShopTools(database, now=now)
    return [
        tools.find_customer,
        tools.order_status,
        tools.product_stock,
        tools.find_alternatives,
        tools.create_ticket,
        tools.schedule_callback,
    ]


def _order_number(text: str) -> str:
    digits = re.search(r"[0-9]+", text)
    return digits.group() if digits else text.strip()


def _unknown_order(number: str) -> Reply:
    return {"error": f"There is no order {number}. Ask the customer to check the number."}


def _judged(match: ProductMatch, *, asked: str) -> tuple[str, Outcome]:
    if match.product is not None:
        return match.product.product_id, "found"
    return asked, "several" if match.near else "not_found"


def _unsure(match: ProductMatch, *, asked: str) -> Reply:
    if not match.near:
        return {"error": f"We do not sell {asked}."}
    return {
        "error": "Several products fit. Ask which one is meant.",
        "products": [_offer(product) for product in match.near[:LISTED]],
    }


def _category(match: ProductMatch) -> str | None:
    if match.product is not None:
        return match.product.category
    categories = {product.category for product in match.near}
    return categories.pop() if len(categories) == 1 else None


def _offer(product: Product) -> str:
    stock = f"{product.stock} in stock" if product.stock else "sold out"
    return f"{product.name}, {_price(product.price_pence)}, {stock}"


def _price(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d} GBP"
