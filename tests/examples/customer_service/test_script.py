"""Tests of the script: a perfect agent completes every task, a wrong one does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from customer_service.judge import Verdict
from customer_service.records import OrderStatus
from customer_service.script import TASKS, Task
from customer_service.shelf import read_products
from customer_service.showcase import CUSTOMERS, ORDERS
from customer_service.snapshot import take_snapshot
from customer_service.tools import ShopTools

Action: TypeAlias = Callable[[ShopTools], object]

BY_ID = {task.id: task for task in TASKS}
RIGHT: dict[str, Sequence[Action]] = {
    "order-shipped": [lambda t: t.order_status("1042")],
    "order-processing": [lambda t: t.order_status("1057")],
    "order-unknown": [lambda t: t.order_status("8841")],
    "stock-lamp": [lambda t: t.product_stock("Glimmer Desk Lamp")],
    "stock-price": [lambda t: t.product_stock("Voltane 20K power bank")],
    "alternatives": [lambda t: t.find_alternatives("Auralis Wave 2 headphones")],
    "customer-email": [lambda t: t.find_customer("marta.lindqvist@example.com")],
    "defect-ticket": [lambda t: t.create_ticket("1018", "defect", "left side makes no sound")],
    "callback": [lambda t: t.schedule_callback("07700 900461", "tomorrow", "10:30")],
    "callback-without-number": [],
    "opening-hours": [],
    "small-talk": [],
}
WRONG: dict[str, Sequence[Action]] = {
    "order-shipped": [lambda t: t.order_status("1024")],
    "order-processing": [lambda t: t.product_stock("Clackwell TK87 Keyboard")],
    "order-unknown": [lambda t: t.order_status("884")],
    "stock-lamp": [lambda t: t.find_alternatives("Glimmer Desk Lamp")],
    "stock-price": [lambda t: t.product_stock("Voltane 10K power bank")],
    "alternatives": [lambda t: t.product_stock("Auralis Wave 2 headphones")],
    "customer-email": [lambda t: t.find_customer("joseph.adeyemi@example.org")],
    "defect-ticket": [lambda t: t.create_ticket("1018", "return", "left side makes no sound")],
    "callback": [lambda t: t.schedule_callback("07700 900461", "tomorrow", "11:30")],
    "callback-without-number": [lambda t: t.schedule_callback("07700 900999", "tomorrow", "9:00")],
    "opening-hours": [lambda t: t.product_stock("Saturday")],
    "small-talk": [lambda t: t.find_customer("Australia")],
}
CREATE: dict[str, Action] = {
    "ticket": lambda t: t.create_ticket("1018", "defect", "left side makes no sound"),
    "callback": lambda t: t.schedule_callback("07700 900461", "tomorrow", "10:30"),
}


def judged(task: Task, shop: Path, actions: Sequence[Action]) -> Verdict:
    before = take_snapshot(shop)
    tools = ShopTools(shop)
    for act in actions:
        act(tools)
    return task.judge(before, take_snapshot(shop))


def test_the_script_has_twelve_tasks_with_distinct_names() -> None:
    assert len(TASKS) == 12
    assert len(BY_ID) == 12


@pytest.mark.parametrize("task_id", BY_ID)
def test_the_right_calls_complete_the_task(task_id: str, shop: Path) -> None:
    verdict = judged(BY_ID[task_id], shop, RIGHT[task_id])
    assert verdict.completed, verdict.reason


@pytest.mark.parametrize("task_id", BY_ID)
def test_a_plausible_mistake_does_not_complete_the_task(task_id: str, shop: Path) -> None:
    assert not judged(BY_ID[task_id], shop, WRONG[task_id]).completed


@pytest.mark.parametrize("task_id", [task_id for task_id in BY_ID if RIGHT[task_id]])
def test_talk_without_a_tool_does_not_complete_a_task_that_needs_one(
    task_id: str, shop: Path
) -> None:
    assert not judged(BY_ID[task_id], shop, []).completed


@pytest.mark.parametrize("thing", CREATE)
@pytest.mark.parametrize("task_id", BY_ID)
def test_creating_what_was_not_wanted_or_twice_does_not_complete_any_task(
    task_id: str, thing: str, shop: Path
) -> None:
    assert not judged(BY_ID[task_id], shop, [*RIGHT[task_id], CREATE[thing]]).completed


def test_the_tasks_can_follow_one_another_in_one_shop(shop: Path) -> None:
    assert all(judged(task, shop, RIGHT[task.id]).completed for task in TASKS)


def test_the_messages_agree_with_the_data() -> None:
    products = {product.product_id: product for product in read_products()}
    assert ORDERS["1042"].status is OrderStatus.SHIPPED
    assert ORDERS["1057"].status is OrderStatus.PROCESSING
    assert "keyboard" in products[ORDERS["1057"].product_ids[0]].name.lower()
    assert products[ORDERS["1018"].product_ids[0]].category == "headphones"
    assert products["P001"].stock == 0
    assert CUSTOMERS[0].email in BY_ID["customer-email"].message


def test_nothing_in_a_message_names_a_tool() -> None:
    names = ("find_", "order_status", "product_stock", "create_", "schedule_", "tool")
    assert not [task.id for task in TASKS if any(name in task.message.lower() for name in names)]
