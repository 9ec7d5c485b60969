"""The root of the exception tree: this file holds `SmallholdError`."""

from __future__ import annotations


class SmallholdError(Exception):
    """Root of all errors that Smallhold raises on purpose."""
