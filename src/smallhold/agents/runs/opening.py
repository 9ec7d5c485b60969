"""Memory or database: this file holds the choice of where an agent's runs are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smallhold.agents.runs.keeping import RunKeeping
from smallhold.agents.runs.volatile import VolatileRuns

if TYPE_CHECKING:
    from smallhold.state import State


def opened_state(place: State | str | Path | None) -> State | None:
    """Make a state of a path or URL, and take one as it is.

    Raises:
        ConfigError: the place is neither a path nor a URL of a database.
    """
    if place is None or not isinstance(place, str | Path):
        return place
    # Not at import: SQLAlchemy takes longer to load than all the rest of an agent.
    from smallhold.state import State  # noqa: PLC0415 - see above

    return State(place)


def runs_in(state: State | None) -> RunKeeping:
    """Keep runs in a state's database, or in memory where there is none."""
    if state is None:
        return VolatileRuns()
    from smallhold.agents.runs.durable import DurableRuns  # noqa: PLC0415 - as above

    return DurableRuns(state=state)
