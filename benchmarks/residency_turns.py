"""How often a request should be overtaken: this file holds a simulation of a residency's plan.

Run `python benchmarks/residency_turns.py`. Clients ask one thing after the other; answers and loads
take the seconds that the suite `residency` takes on two cores. The plan is the product's own.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from statistics import mean
from typing import Final

from smallhold.evals.bench.optimal_loads import optimal_loads
from smallhold.evals.bench.request_mix import skewed_mix
from smallhold.runtimes.residency.admission import MAX_OVERTAKES, TurnPlan, Waiting, plan_turn
from smallhold.runtimes.residency.eviction import HeldModel

SIZES_MB: Final = (297, 861, 1186)
BUDGET_MB: Final = 1200
ANSWER_S: Final = (0.3, 0.8, 2.0)
LOAD_S: Final = (1.3, 1.3, 1.8)
SHARES: Final = (0.6, 0.3, 0.1)
REQUESTS: Final = 200
CLIENTS: Final = 4
MIXES: Final = 8
BOUNDS: Final = (0, 4, 8, 12, 16, 32, 64)


@dataclass(slots=True, kw_only=True)
class Simulation:
    """One mix, worked through with one bound."""

    order: tuple[int, ...]
    bound: int
    random: Random
    now_s: float = 0.0
    loads: int = 0
    longest_wait_s: float = 0.0
    asked: int = 0
    arrived_s: dict[int, float] = field(default_factory=dict[int, float])
    waiting: dict[int, Waiting] = field(default_factory=dict[int, Waiting])
    overtaken: Counter[int] = field(default_factory=Counter[int])
    running: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    held: dict[int, float] = field(default_factory=dict[int, float])
    ready_s: dict[int, float] = field(default_factory=dict[int, float])

    def play(self) -> None:
        """Work through all requests."""
        while True:
            self._ask()
            while (plan := self._plan()).granted or plan.evictions:
                pass
            if not self.running:
                return
            self.running.sort()
            self.now_s, done = self.running.pop(0)
            self.held[self.order[done]] = self.now_s

    def _ask(self) -> None:
        while len(self.waiting) + len(self.running) < CLIENTS and self.asked < len(self.order):
            number, key = self.asked, self.order[self.asked]
            self.waiting[number] = Waiting(
                number=number,
                key=key,
                needed_bytes=SIZES_MB[key],
                overtaken=self._counted(0),
            )
            self.arrived_s[number] = self.now_s
            self.asked += 1

    def _plan(self) -> TurnPlan:
        leases = Counter(self.order[number] for _, number in self.running)
        plan = plan_turn(
            [
                HeldModel(key=key, size_bytes=SIZES_MB[key], last_used_s=used_s, leases=leases[key])
                for key, used_s in self.held.items()
            ],
            list(self.waiting.values()),
            budget_bytes=BUDGET_MB,
        )
        for key in plan.evictions:
            del self.held[key]
        for key in plan.loads:
            self.held[key], self.ready_s[key] = self.now_s, self.now_s + LOAD_S[key]
            self.loads += 1
        for number, times in plan.overtaken:
            self.overtaken[number] += times
            count = self._counted(self.overtaken[number])
            self.waiting[number] = replace(self.waiting[number], overtaken=count)
        for number in plan.granted:
            self._begin(number, self.waiting.pop(number).key)
        return plan

    def _counted(self, overtaken: int) -> int:
        """Say what the plan is told: its own bound is fixed, and another one is a head start."""
        return max(0, overtaken + MAX_OVERTAKES - self.bound)

    def _begin(self, number: int, key: int) -> None:
        begins_s = max(self.now_s, self.ready_s[key])
        self.longest_wait_s = max(self.longest_wait_s, begins_s - self.arrived_s[number])
        takes_s = ANSWER_S[key] * self.random.uniform(0.7, 1.3) * max(1.0, len(self.running) / 2)
        self.running.append((begins_s + takes_s, number))
        self.held[key] = self.now_s


def main() -> None:
    """Print a line for each bound."""
    for bound in BOUNDS:
        played: list[Simulation] = []
        foresight: list[int] = []
        for seed in range(MIXES):
            order = skewed_mix(SHARES, requests=REQUESTS, seed=seed)
            random = Random(seed)  # noqa: S311 - the same course every time
            played.append(Simulation(order=order, bound=bound, random=random))
            played[-1].play()
            foresight.append(optimal_loads(order, SIZES_MB, budget=BUDGET_MB))
        sys.stdout.write(
            f"bound {bound:3}: {mean(it.loads for it in played):4.0f} loads, "
            f"{mean(foresight):4.0f} with foresight, "
            f"longest wait {mean(it.longest_wait_s for it in played):5.1f} s, "
            f"all after {mean(it.now_s for it in played):5.0f} s\n"
        )


if __name__ == "__main__":
    main()
