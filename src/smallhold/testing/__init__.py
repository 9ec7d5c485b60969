"""Doubles for tests that ship with the product."""

from smallhold.runtimes.limits import OWN_DECODER
from smallhold.testing.clock import ManualClock
from smallhold.testing.script import Call, Calls, Delay, Entry, Fault, Reply, Script, call
from smallhold.testing.scripted import NATIVE, OWN_MODEL, ScriptedRuntime

__all__ = [
    "NATIVE",
    "OWN_DECODER",
    "OWN_MODEL",
    "Call",
    "Calls",
    "Delay",
    "Entry",
    "Fault",
    "ManualClock",
    "Reply",
    "Script",
    "ScriptedRuntime",
    "call",
]
