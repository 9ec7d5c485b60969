"""Whose turn it is: this file holds the plan that admits requests, and loads and evicts for them.

Requests for models that are there go first, since each change of model costs seconds, but no
request is overtaken more than a bounded number of times: then the models that stand in its way take
no further request until it has had its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from smallhold.runtimes.residency.eviction import HeldModel, plan_draining, plan_eviction

MAX_OVERTAKES: Final = 12
"""Requests that came later and may go first. Source: `docs/residency.md`, how often a request is
overtaken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A request that waits for its model."""

    number: int
    """Requests are numbered as they arrive."""
    key: int
    """Its model."""
    needed_bytes: int
    """What the model takes once it is loaded."""
    priority: int = 1
    """Lower goes first."""
    overtaken: int = 0
    """Requests that came later and went first."""

    @property
    def is_starving(self) -> bool:
        """Whether nobody may overtake it any more."""
        return self.overtaken >= MAX_OVERTAKES


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    """What is to be done now."""

    granted: tuple[int, ...]
    """Requests whose models are there or to be loaded, in order."""
    refused: tuple[int, ...]
    """Requests whose models cannot fit, whatever else is unloaded."""
    loads: tuple[int, ...]
    """Models to load; there is room for them."""
    evictions: tuple[int, ...]
    """Models to unload; what they make room for is planned again once they are gone."""
    overtaken: tuple[tuple[int, int], ...]
    """Requests that still wait, with how many that came later were granted before them."""


def plan_turn(
    models: Sequence[HeldModel], waiting: Sequence[Waiting], *, budget_bytes: int
) -> TurnPlan:
    """Decide what happens next. Call it again whenever a request arrives, leaves or has ended.

    Args:
        models: All that take memory.
        waiting: Requests that have not been granted.
        budget_bytes: What all models may take together.
    """
    turn = _Turn(
        models={model.key: model for model in models},
        budget_bytes=budget_bytes,
        queue=sorted(waiting, key=_order),
    )
    turn.grant_for_models_that_are_there()
    turn.load_for_others()
    granted = set(turn.granted)
    left = [it for it in waiting if it.number not in granted and it.number not in turn.refused]
    return TurnPlan(
        granted=tuple(turn.granted),
        refused=tuple(turn.refused),
        loads=tuple(turn.loads),
        evictions=tuple(turn.evictions),
        overtaken=tuple(
            (it.number, later)
            for it in left
            if (later := sum(number > it.number for number in granted))
        ),
    )


def _order(request: Waiting) -> tuple[bool, int, int]:
    if request.is_starving:
        return False, 0, request.number
    return True, request.priority, request.number


@dataclass(slots=True, kw_only=True)
class _Turn:
    models: dict[int, HeldModel]
    budget_bytes: int
    queue: list[Waiting]
    granted: list[int] = field(default_factory=list[int])
    refused: list[int] = field(default_factory=list[int])
    loads: list[int] = field(default_factory=list[int])
    evictions: list[int] = field(default_factory=list[int])

    def grant_for_models_that_are_there(self) -> None:
        draining = self._draining()
        for request in self.queue:
            model = self.models.get(request.key)
            if model is not None and not model.is_leaving and request.key not in draining:
                self._grant(request)

    def load_for_others(self) -> None:
        """Load and evict for models that are not there, until somebody must be waited for."""
        for request in self.queue:
            model = self.models.get(request.key)
            if model is not None:
                # Its room was decided on above, or it is just being unloaded.
                if request.key in self.loads:
                    self._grant(request)
                continue
            if request.needed_bytes <= self._free_bytes():
                self._load(request)
            elif self._cannot_fit(request):
                self.refused.append(request.number)
            elif self._makes_room(request) or request.is_starving:
                # What becomes free is meant for it and for nobody behind it.
                return

    def _draining(self) -> frozenset[int]:
        """Find the models that stand in the way of a request that was overtaken often enough."""
        for request in self.queue:
            if not request.is_starving:
                break
            if request.key not in self.models and not self._cannot_fit(request):
                lacking = request.needed_bytes - self._free_bytes() - self._coming_bytes()
                plan = plan_draining(tuple(self.models.values()), needed_bytes=lacking)
                return frozenset(plan.keys)
        return frozenset()

    def _makes_room(self, request: Waiting) -> bool:
        """Whether unloading idle models is enough; begins with it."""
        lacking = request.needed_bytes - self._free_bytes() - self._coming_bytes()
        plan = plan_eviction(tuple(self.models.values()), needed_bytes=lacking)
        if plan.freed_bytes < lacking:
            return False
        for key in plan.keys:
            self.models[key] = replace(self.models[key], is_leaving=True)
            self.evictions.append(key)
        return True

    def _load(self, request: Waiting) -> None:
        self.models[request.key] = HeldModel(
            key=request.key, size_bytes=request.needed_bytes, last_used_s=0.0
        )
        self.loads.append(request.key)
        self._grant(request)

    def _grant(self, request: Waiting) -> None:
        if request.number not in self.granted:
            model = self.models[request.key]
            self.models[request.key] = replace(model, leases=model.leases + 1)
            self.granted.append(request.number)

    def _free_bytes(self) -> int:
        return self.budget_bytes - sum(model.size_bytes for model in self.models.values())

    def _coming_bytes(self) -> int:
        return sum(model.size_bytes for model in self.models.values() if model.is_leaving)

    def _cannot_fit(self, request: Waiting) -> bool:
        pinned = (model.size_bytes for model in self.models.values() if model.is_pinned)
        return request.needed_bytes > self.budget_bytes - sum(pinned)
