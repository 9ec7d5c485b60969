"""The database's care: checking, repairing, backing up, restoring, and changing its keys."""

from smallhold.state.care.backing_up import back_up
from smallhold.state.care.checking import check
from smallhold.state.care.finding import CheckReport, Finding, FindingKind
from smallhold.state.care.registry import Backup, forget_backup, registered_backups
from smallhold.state.care.repairing import RepairReport, repair
from smallhold.state.care.restoring import RestoreReport, restore
from smallhold.state.care.rotating import RotationReport, rotate

__all__ = [
    "Backup",
    "CheckReport",
    "Finding",
    "FindingKind",
    "RepairReport",
    "RestoreReport",
    "RotationReport",
    "back_up",
    "check",
    "forget_backup",
    "registered_backups",
    "repair",
    "restore",
    "rotate",
]
