"""Measuring agents: this package holds benchmark suites, their scores and their reports."""

from __future__ import annotations

from smallhold.evals.intervals import Interval, wilson_interval

__all__ = ["Interval", "wilson_interval"]
