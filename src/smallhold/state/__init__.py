"""What outlives a process: this package holds sessions, approvals, memory, knowledge and outbox."""

from smallhold.state.database import Database, Durability
from smallhold.state.state import State

__all__ = ["Database", "Durability", "State"]
