"""Calls that came as text: how they are found in a reply, and kept out of what is shown."""

from smallhold.agents.text_calls.calls import BrokenCall, TextCall
from smallhold.agents.text_calls.meant_names import meant_name
from smallhold.agents.text_calls.scanning import CallScanner, ScanEnd
from smallhold.agents.text_calls.shapes import mended_arguments

__all__ = [
    "BrokenCall",
    "CallScanner",
    "ScanEnd",
    "TextCall",
    "meant_name",
    "mended_arguments",
]
