"""An electronics shop whose support agent works on a real database with a small model."""

from __future__ import annotations

from customer_service.data import DEFAULT_SEED, create_database
from customer_service.instructions import AGENT_NAME, INSTRUCTIONS, SHOP_NAME
from customer_service.judge import Judge, Verdict
from customer_service.script import TASKS, Task
from customer_service.snapshot import Snapshot, take_snapshot
from customer_service.tools import ShopTools, shop_tools

__all__ = [
    "AGENT_NAME",
    "DEFAULT_SEED",
    "INSTRUCTIONS",
    "SHOP_NAME",
    "TASKS",
    "Judge",
    "ShopTools",
    "Snapshot",
    "Task",
    "Verdict",
    "create_database",
    "shop_tools",
    "take_snapshot",
]
