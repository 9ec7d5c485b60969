"""Doubles for tests that ship with the product."""

from smallhold.runtimes.limits import OWN_DECODER
from smallhold.testing.clock import ManualClock
from smallhold.testing.scripted import (
    NATIVE,
    OWN_MODEL,
    Call,
    Delay,
    Entry,
    Fault,
    Reply,
    ScriptedRuntime,
    call,
)

__all__ = [
    "NATIVE",
    "OWN_DECODER",
    "OWN_MODEL",
    "Call",
    "Delay",
    "Entry",
    "Fault",
    "ManualClock",
    "Reply",
    "ScriptedRuntime",
    "call",
]
