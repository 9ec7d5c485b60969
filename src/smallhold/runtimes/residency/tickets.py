"""A request's place in the queue: this file holds tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smallhold.exceptions import SmallholdError
from smallhold.runtimes.residency.bell import Bell

if TYPE_CHECKING:
    from smallhold.runtimes.residency.residents import Resident


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """A request that wants a model. All but `wait` happens under the residency's lock."""

    number: int
    resident: Resident
    priority: int
    overtaken: int = 0
    generation: int = 0
    """Which load of the model it was granted."""
    is_granted: bool = False
    refusal: SmallholdError | None = None
    _bell: Bell | None = field(default=None)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.is_granted or self.refusal is not None

    def expect(self) -> None:
        """Get ready to wait."""
        self._bell = Bell()

    def grant(self, generation: int) -> None:
        """Let the request have its model."""
        self.is_granted, self.generation = True, generation
        self._wake()

    def refuse(self, error: SmallholdError) -> None:
        """Tell the request that it cannot have its model."""
        self.refusal = error
        self._wake()

    async def wait(self) -> None:
        """Wait until it is settled."""
        if self._bell is not None:
            await self._bell.wait()

    def put_away(self) -> None:
        """Close what it waited with."""
        if self._bell is not None:
            self._bell.close()
        self._bell = None

    def _wake(self) -> None:
        if self._bell is not None:
            self._bell.ring()
