"""The choice: which file of which model suits a need and a machine, and why."""

from smallhold.models.choice.choice import Choice, recommend, resolve
from smallhold.models.choice.need import Need, parse_need

__all__ = ["Choice", "Need", "parse_need", "recommend", "resolve"]
