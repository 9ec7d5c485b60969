"""The way through the suite: this file holds the run of all cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from smallhold.evals.faults.case import Evidence, FaultCase
from smallhold.evals.faults.judging import Verdict, judge
from smallhold.evals.faults.model import Form
from smallhold.evals.faults.ours import play_ours

Play: TypeAlias = Callable[[FaultCase], Awaitable[Evidence]]
"""Puts some framework through a case."""
OnVerdict: TypeAlias = Callable[[Form, Verdict], None]


async def run_cases(cases: Sequence[FaultCase], *, play: Play) -> list[Verdict]:
    """Put a framework through cases, one after the other."""
    return [judge(case, await play(case)) for case in cases]


async def run_faults(
    cases: Sequence[FaultCase], *, on_verdict: OnVerdict | None = None
) -> dict[Form, list[Verdict]]:
    """Put our own agent through cases, in each form in which a case can arise."""
    verdicts: dict[Form, list[Verdict]] = {form: [] for form in Form}
    for form in Form:
        for case in cases:
            if form in case.forms:
                verdict = judge(case, await play_ours(case, form=form))
                verdicts[form].append(verdict)
                if on_verdict is not None:
                    on_verdict(form, verdict)
    return verdicts
