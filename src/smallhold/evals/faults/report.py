"""What a run of the suite amounts to: this file holds the report over verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smallhold.evals.faults.judging import Verdict
from smallhold.evals.faults.model import Form
from smallhold.messages import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultsReport:
    """Which cases our agent stands."""

    verdicts: Mapping[Form, Sequence[Verdict]]

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases that were run, in any form."""
        return tuple(dict.fromkeys(it.case for them in self.verdicts.values() for it in them))

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the cases that failed in any form."""
        failed = {it.case for them in self.verdicts.values() for it in them if not it.passed}
        return tuple(name for name in self.cases if name in failed)

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that `smallhold eval faults --json` promises."""
        return {
            "cases": len(self.cases),
            "passed": len(self.cases) - len(self.failed),
            "failed": list(self.failed),
            "forms": {
                form.value: [verdict.to_dict() for verdict in verdicts]
                for form, verdicts in self.verdicts.items()
            },
        }
