"""Outbox: effects that need a network, kept durably and sent in order when there is one."""

from smallhold.state.outbox.delivery import Send
from smallhold.state.outbox.item import OutboxItem, OutboxStatus
from smallhold.state.outbox.outbox import Outbox
from smallhold.state.outbox.outcome import DeliveryReport
from smallhold.state.outbox.policy import DeliveryPolicy, OnRejection

__all__ = [
    "DeliveryPolicy",
    "DeliveryReport",
    "OnRejection",
    "Outbox",
    "OutboxItem",
    "OutboxStatus",
    "Send",
]
