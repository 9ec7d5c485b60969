"""From the command line to a state: this file holds the options of commands that use one."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias, TypeVar

import typer

if TYPE_CHECKING:
    from smallhold.security import KeyRing
    from smallhold.state import State

KEY_VARIABLE: Final = "SMALLHOLD_STATE_KEY"
"""Keys that encrypt the state: `id:BASE64` of each, the active one first, joined by commas."""
STATE_VARIABLE: Final = "SMALLHOLD_STATE"
"""Path or URL of the database, where `--state` is not given."""
FILE_NAME: Final = "state.db"
SHOWN_DEFAULT: Final = f"$SMALLHOLD_HOME/{FILE_NAME}"

StateOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="PATH|URL",
        envvar=STATE_VARIABLE,
        help="The database of sessions, memory and the rest. SMALLHOLD_STATE_KEY encrypts it.",
        show_default=SHOWN_DEFAULT,
    ),
]
SessionOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--session",
        metavar="SESSION",
        help="A conversation that is kept in the state; a new one, or one to go on with.",
    ),
]
TenantOption: TypeAlias = Annotated[
    str, typer.Option("--tenant", help="Whose rows; no other tenant's can be seen.")
]
Value = TypeVar("Value")


def default_place() -> Path:
    """Say where the state is unless somebody says otherwise; its folder is made."""
    from smallhold.settings import load_settings  # noqa: PLC0415 - help needs no settings

    home = load_settings().home
    home.mkdir(parents=True, exist_ok=True)
    return home / FILE_NAME


def state_keys() -> KeyRing | None:
    """Read the keys from the environment; `None` where there are none.

    Raises:
        ConfigError: they cannot be read. The message shows no key.
    """
    from smallhold.security import KeyRing  # noqa: PLC0415 - help needs no keys

    text = os.environ.get(KEY_VARIABLE, "")
    return KeyRing.parse(text) if text.strip() else None


def open_state(place: str | None, *, tenant: str = "default") -> State:
    """Make the state that `--state` and `--tenant` name; nothing is opened yet.

    Raises:
        ConfigError: the place, the tenant or the keys cannot be used.
    """
    from smallhold.state import State  # noqa: PLC0415 - help needs no database

    return State(default_place() if place is None else place, tenant=tenant, keys=state_keys())


def state_for(place: str | None, *, session: str | None) -> State | None:
    """Make a state where one is asked for, by name or by a session; otherwise nothing is kept.

    Raises:
        ConfigError: as `open_state`.
    """
    return None if place is None and session is None else open_state(place)


def with_state(
    place: str | None, work: Callable[[State], Awaitable[Value]], *, tenant: str = "default"
) -> Value:
    """Run work on a state in an event loop of its own, and close the state.

    Raises:
        ConfigError: as `open_state`.
        StateError: the state cannot be used.
    """
    import anyio  # noqa: PLC0415 - help needs no event loop

    async def run() -> Value:
        state = open_state(place, tenant=tenant)
        try:
            return await work(state)
        finally:
            await state.aclose()

    return anyio.run(run)
