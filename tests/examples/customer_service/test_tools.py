"""Tests of the shop's tools, each on a real database."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customer_service.data import transaction
from customer_service.snapshot import ActivityRow, take_snapshot
from customer_service.tools import PROBLEM_CHARS, Reply, ShopTools, shop_tools

TOOL_NAMES = [
    "find_customer",
    "order_status",
    "product_stock",
    "find_alternatives",
    "create_ticket",
    "schedule_callback",
]


@pytest.fixture
def tools(shop: Path) -> ShopTools:
    return ShopTools(shop)


def last_activity(shop: Path) -> tuple[str, str, str]:
    row: ActivityRow = take_snapshot(shop).activity[-1]
    return row.tool, row.subject, row.outcome


def test_the_factory_gives_the_six_tools_as_functions_of_strings(shop: Path) -> None:
    functions = shop_tools(shop)
    assert [function.__name__ for function in functions] == TOOL_NAMES
    for function in functions:
        parameters = inspect.signature(function).parameters
        assert "self" not in parameters
        assert 1 <= len(parameters) <= 3
        assert inspect.getdoc(function)


@pytest.mark.parametrize(
    "customer",
    [
        "marta.lindqvist@example.com",
        " Marta.Lindqvist@Example.com ",
        "+44 7700 900461",
        "07700 900461",
        "marta lindqvist",
        "Lindqvist",
        "C0001",
    ],
)
def test_a_customer_is_found_by_address_phone_or_name(
    tools: ShopTools, shop: Path, customer: str
) -> None:
    reply = tools.find_customer(customer)
    assert reply["name"] == "Marta Lindqvist"
    assert "1042 (shipped)" in str(reply["recent_orders"])
    assert last_activity(shop) == ("find_customer", "C0001", "found")


def test_a_name_that_fits_several_customers_reveals_none_of_them(
    tools: ShopTools, shop: Path
) -> None:
    reply = tools.find_customer("walsh")
    assert reply == {"error": "Several customers fit. Ask for the e-mail address."}
    assert last_activity(shop) == ("find_customer", "walsh", "several")


@pytest.mark.parametrize("customer", ["nobody@example.com", "", "%", "a", "' OR 1=1 --", "0"])
def test_what_names_no_customer_finds_none(tools: ShopTools, shop: Path, customer: str) -> None:
    assert "error" in tools.find_customer(customer)
    assert last_activity(shop) == ("find_customer", customer, "not_found")


@pytest.mark.parametrize("order_id", ["1042", "#1042", "order 1042", " 1042. "])
def test_an_order_is_found_however_its_number_is_written(
    tools: ShopTools, shop: Path, order_id: str
) -> None:
    reply = tools.order_status(order_id)
    assert reply["order"] == "1042"
    assert reply["status"] == "shipped"
    assert "Voltane 20K Power Bank" in str(reply["items"])
    assert last_activity(shop) == ("order_status", "1042", "found")


def test_a_delivered_order_tells_its_delivery_and_no_forecast(tools: ShopTools) -> None:
    reply = tools.order_status("1018")
    assert reply["delivered_on"] == "2026-11-13"
    assert "expected_on" not in reply


def test_an_unknown_order_is_an_answer_and_no_exception(tools: ShopTools, shop: Path) -> None:
    assert tools.order_status("8841") == {
        "error": "There is no order 8841. Ask the customer to check the number."
    }
    assert last_activity(shop) == ("order_status", "8841", "not_found")


def test_stock_tells_price_and_pieces(tools: ShopTools, shop: Path) -> None:
    assert tools.product_stock("glimmer desk lamp") == {
        "product": "Glimmer Desk Lamp",
        "price": "49.90 GBP",
        "in_stock": True,
        "pieces": 16,
        "warranty": "24 months",
    }
    assert last_activity(shop) == ("product_stock", "P064", "found")


def test_a_sold_out_product_says_so(tools: ShopTools) -> None:
    reply = tools.product_stock("Auralis Wave 2 Headphones")
    assert (reply["in_stock"], reply["pieces"]) == (False, 0)


def test_an_unclear_product_lists_a_few_candidates(tools: ShopTools, shop: Path) -> None:
    reply = tools.product_stock("headphones")
    assert "error" in reply
    assert str(reply["products"]).count("GBP") == 3
    assert last_activity(shop) == ("product_stock", "headphones", "several")


def test_a_product_that_the_shop_does_not_sell_is_an_answer(tools: ShopTools, shop: Path) -> None:
    assert tools.product_stock("toaster") == {"error": "We do not sell toaster."}
    assert last_activity(shop) == ("product_stock", "toaster", "not_found")


def test_alternatives_are_in_stock_nearest_in_price_and_not_the_product_itself(
    tools: ShopTools, shop: Path
) -> None:
    reply = tools.find_alternatives("Auralis Wave 2 headphones")
    assert reply == {
        "category": "headphones",
        "in_stock": [
            "Auralis Drift Headphones, 79.00 GBP, 14 in stock",
            "Sonvero Studio 50 Headphones, 129.00 GBP, 6 in stock",
            "Pebbletone Buds Lite, 39.90 GBP, 42 in stock",
        ],
    }
    assert last_activity(shop) == ("find_alternatives", "P001", "found")


def test_alternatives_can_be_asked_for_a_whole_category(tools: ShopTools, shop: Path) -> None:
    assert "sold out" not in str(tools.find_alternatives("headphones")["in_stock"])
    assert last_activity(shop) == ("find_alternatives", "headphones", "found")


def test_alternatives_to_nothing_we_know_are_an_answer(tools: ShopTools, shop: Path) -> None:
    assert "error" in tools.find_alternatives("toaster")
    assert last_activity(shop) == ("find_alternatives", "toaster", "not_found")


def test_a_ticket_is_stored_with_order_category_and_problem(tools: ShopTools, shop: Path) -> None:
    reply = tools.create_ticket("#1018", "defect", " The left side is silent. ")
    assert reply == {"ticket": "T1", "order": "1018", "category": "defect", "open": True}
    after = take_snapshot(shop)
    assert [(t.order_id, t.category, t.problem) for t in after.tickets] == [
        ("1018", "defect", "The left side is silent.")
    ]
    assert last_activity(shop) == ("create_ticket", "1018", "created")


@pytest.mark.parametrize(("order_id", "problem"), [("8841", "broken"), ("1018", "  ")])
def test_a_ticket_without_known_order_or_problem_is_refused(
    tools: ShopTools, shop: Path, order_id: str, problem: str
) -> None:
    assert "error" in tools.create_ticket(order_id, "defect", problem)
    assert take_snapshot(shop).tickets == ()
    assert last_activity(shop) == ("create_ticket", order_id, "refused")


def test_an_endless_problem_is_cut(tools: ShopTools, shop: Path) -> None:
    tools.create_ticket("1018", "other", "x" * 100_000)
    assert len(take_snapshot(shop).tickets[0].problem) == PROBLEM_CHARS


def test_a_callback_is_stored_with_number_and_time(tools: ShopTools, shop: Path) -> None:
    reply = tools.schedule_callback("+44 7700 900461", "tomorrow", "10:30")
    assert reply == {
        "callback": "B1",
        "phone": "07700900461",
        "time": "Tuesday 17 November, 10:30",
    }
    callback = take_snapshot(shop).callbacks[0]
    assert callback.phone == "07700900461"
    assert callback.call_at == datetime(2026, 11, 17, 10, 30, tzinfo=UTC)
    assert last_activity(shop) == ("schedule_callback", "07700900461", "created")


@pytest.mark.parametrize(
    ("phone", "day", "time", "says"),
    [
        ("", "tomorrow", "10:30", "phone number"),
        ("123-456-7890", "tomorrow", "10:30", "phone number"),
        ("07700 900461", "some day", "", "day and an hour"),
        ("07700 900461", "tomorrow", "23:00", "between"),
        ("07700 900461", "yesterday", "10:00", "past"),
    ],
)
def test_a_callback_that_cannot_be_kept_is_refused_with_the_next_step(
    tools: ShopTools, shop: Path, phone: str, day: str, time: str, says: str
) -> None:
    assert says in str(tools.schedule_callback(phone, day, time)["error"])
    after = take_snapshot(shop)
    assert after.callbacks == ()
    assert last_activity(shop) == ("schedule_callback", phone, "refused")


@pytest.mark.parametrize(
    ("day", "time"),
    [
        ("tomorrow", "10:30"),
        ("tomorrow", "10:30 am"),
        ("tomorrow at 10:30", "10:30"),
        ("tomorrow", "tomorrow at 10:30"),
        ("tomorrow at 10:30", "tomorrow at 10:30"),
        ("", "tomorrow at 10:30"),
        ("2026-11-17", "10:30"),
        ("Tuesday", "10:30"),
    ],
)
def test_a_wish_may_be_spread_over_day_and_time_in_any_way(
    tools: ShopTools, shop: Path, day: str, time: str
) -> None:
    tools.schedule_callback("07700 900461", day, time)
    call_at = take_snapshot(shop).callbacks[0].call_at
    assert call_at == datetime(2026, 11, 17, 10, 30, tzinfo=UTC)


def test_the_shops_clock_can_be_replaced(shop: Path) -> None:
    tools = ShopTools(shop, now=lambda: datetime(2027, 3, 1, 12, 0, tzinfo=UTC))
    tools.schedule_callback("07700 900461", "tomorrow", "10:30")
    call_at = take_snapshot(shop).callbacks[0].call_at
    assert call_at == datetime(2027, 3, 2, 10, 30, tzinfo=UTC)


def test_calls_from_many_threads_are_all_recorded(shop: Path) -> None:
    tools = ShopTools(shop)

    def complain(number: int) -> Reply:
        return tools.create_ticket("1018", "defect", f"fault {number}")

    with ThreadPoolExecutor(max_workers=8) as pool:
        replies = list(pool.map(complain, range(24)))
    after = take_snapshot(shop)
    assert len({str(reply["ticket"]) for reply in replies}) == 24
    assert {ticket.problem for ticket in after.tickets} == {f"fault {n}" for n in range(24)}
    assert len(after.activity) == 24


def test_a_clerk_who_writes_meanwhile_is_waited_for(shop: Path) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        with transaction(shop) as connection:
            connection.execute("UPDATE products SET stock = 99 WHERE product_id = 'P064'")
            reply = pool.submit(ShopTools(shop).product_stock, "Glimmer Desk Lamp")
        assert reply.result(timeout=10)["pieces"] == 99


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_look_ups_answer_any_text_and_change_nothing_but_the_activity(
    shop: Path, text: str
) -> None:
    before = take_snapshot(shop)
    for look_up in shop_tools(shop)[:4]:
        assert look_up(text)
    after = take_snapshot(shop)
    assert (after.tickets, after.callbacks) == (before.tickets, before.callbacks)
    assert after.rest_sha256 == before.rest_sha256
    assert len(after.activity) == len(before.activity) + 4
