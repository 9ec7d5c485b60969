"""What one rendering of an untrusted template may cost: this file holds its limits and meter.

A template is a program from a downloaded file. Each statement, loop turn, call and filter is one
step; steps, produced characters and the size of every value are limited, so that neither time nor
memory can run away inside a single operation. The clock is read between steps only: it needs no
signal, works in any thread, and overshoots by at most the work of a few bounded operations.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

from jinja2.runtime import Undefined

from smallhold.engine.template_text import Marks
from smallhold.exceptions import ChatTemplateError

_STEPS_BETWEEN_CLOCK_READS = 16
_NODES_PER_STEP = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLimits:
    """The caps of one template.

    Source of the defaults: the eight templates of our tests are 0.4 to 4 KB long and render a
    conversation of 1,000 messages in 3,000 to 21,000 steps, at most 0.11 s on a server's core.
    """

    source_chars: int = 256 * 1024
    output_chars: int = 4 * 1024 * 1024
    """Also the most characters that any one string may have; a million tokens of English."""
    produced_chars: int = 64 * 1024 * 1024
    """All strings that a rendering makes, taken together."""
    nodes: int = 100_000
    """The most values in one list or dict, counted through all levels of nesting."""
    steps: int = 1_000_000
    time_s: float = 5.0
    """Wall time; a short conversation takes about 0.2 ms."""


class Budget:
    """Counts what a rendering spends and stops it with `ChatTemplateError`."""

    def __init__(self, limits: TemplateLimits, *, now_s: Callable[[], float] = monotonic) -> None:
        self.limits = limits
        self._now_s = now_s
        self._deadline_s = now_s() + limits.time_s
        self._steps = 0
        self._next_clock_read = 0
        self._chars = 0

    def step(self, count: int = 1) -> None:
        """Spend steps, and look at the clock every few of them."""
        self._steps += count
        if self._steps > self.limits.steps:
            raise ChatTemplateError(problem=f"took more than {self.limits.steps:,} steps")
        if self._steps >= self._next_clock_read:
            self._next_clock_read = self._steps + _STEPS_BETWEEN_CLOCK_READS
            if self._now_s() > self._deadline_s:
                raise ChatTemplateError(problem=f"took longer than {self.limits.time_s:g} s")

    def fits(self, chars: int) -> None:
        """Refuse a string of this length before it is made."""
        if chars > self.limits.output_chars:
            raise ChatTemplateError(
                problem=f"made a text of more than {self.limits.output_chars:,} characters"
            )

    def produce(self, text: str) -> None:
        """Account for a string that was made."""
        self.fits(len(text))
        self._chars += len(text)
        if self._chars > self.limits.produced_chars:
            raise ChatTemplateError(
                problem=f"produced more than {self.limits.produced_chars:,} characters in all"
            )

    def contain(self, value: object) -> None:
        """Account for a container that was made; shared parts count at each place.

        A few lines of `[x, x]` describe a list of 2^40 values that takes hours to print or compare.
        """
        nodes, chars = self._measure(value)
        self.step(nodes // _NODES_PER_STEP)
        self.fits(chars)

    def iterates(self, value: object) -> None:
        """Refuse to walk through a sequence that is too long to be held as a list."""
        if isinstance(value, (Sequence, dict)):
            self._refuse_nodes(len(cast("Sequence[object]", value)))

    def _refuse_nodes(self, nodes: int) -> None:
        if nodes > self.limits.nodes:
            raise ChatTemplateError(
                problem=f"made a list of more than {self.limits.nodes:,} values"
            )

    def _measure(self, value: object) -> tuple[int, int]:
        nodes = 0
        chars = 0
        waiting: list[object] = [value]
        while waiting:
            item = waiting.pop()
            nodes += 1
            self._refuse_nodes(nodes + len(waiting))
            if isinstance(item, str):
                chars += len(item)
            elif isinstance(item, dict):
                mapping = cast("dict[object, object]", item)
                self.iterates(mapping)
                waiting.extend(mapping.keys())
                waiting.extend(mapping.values())
            elif isinstance(item, (list, tuple)):
                self.iterates(cast("Sequence[object]", item))
                waiting.extend(cast("Sequence[object]", item))
            elif not (item is None or isinstance(item, (int, float, Undefined))):
                raise ChatTemplateError(problem=f"puts a {type(item).__name__} into a list")
        return nodes, chars


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The state of one rendering."""

    budget: Budget
    marks: Marks = field(default_factory=Marks)


_CURRENT: ContextVar[Rendering] = ContextVar("smallhold_template_rendering")


def current() -> Rendering:
    """The rendering under way in this context."""
    return _CURRENT.get()


@contextmanager
def entered(rendering: Rendering) -> Generator[None]:
    """Make a rendering the current one."""
    token = _CURRENT.set(rendering)
    try:
        yield
    finally:
        _CURRENT.reset(token)
