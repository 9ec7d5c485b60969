"""Sessions: conversations that outlive the process, with every step of their runs."""

from smallhold.state.sessions.claims import session_of_run
from smallhold.state.sessions.conversations import (
    Change,
    StoredCall,
    StoredChange,
    StoredMessage,
    change_between,
    message_json,
    read_change,
    read_message,
    written,
)
from smallhold.state.sessions.entries import FORMAT, Entry, EntryKind, Run, RunStatus, Session
from smallhold.state.sessions.log import RunLog
from smallhold.state.sessions.ownership import Owner, this_process
from smallhold.state.sessions.store import SessionStore, new_run_id

__all__ = [
    "FORMAT",
    "Change",
    "Entry",
    "EntryKind",
    "Owner",
    "Run",
    "RunLog",
    "RunStatus",
    "Session",
    "SessionStore",
    "StoredCall",
    "StoredChange",
    "StoredMessage",
    "change_between",
    "message_json",
    "new_run_id",
    "read_change",
    "read_message",
    "session_of_run",
    "this_process",
    "written",
]
