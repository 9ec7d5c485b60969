"""Serving agents to other programs: who may ask, and how requests are answered over HTTP."""

from smallhold.tools.serving.access import Access, is_loopback
from smallhold.tools.serving.answerer import Answerer

__all__ = ["Access", "Answerer", "is_loopback"]
