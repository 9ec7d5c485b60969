"""All that an agent keeps: this file holds `State`, one tenant's sessions, memory and the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from smallhold.security import KeyRing
from smallhold.state.database import Database, TenantDatabase
from smallhold.state.database.database import DEFAULT_TENANT

if TYPE_CHECKING:
    from smallhold.state.approvals import Approvals
    from smallhold.state.memory import Memory
    from smallhold.state.outbox import Outbox
    from smallhold.state.sessions import SessionStore


class State:
    """What outlives a process, for one tenant.

    Cheap to make: the database is opened at the first use. Give it to agents as `state=`.

    Raises:
        ConfigError: The place is neither a path nor a URL, or the tenant's name is not usable.
    """

    def __init__(
        self,
        place: str | Path | Database,
        *,
        tenant: str = DEFAULT_TENANT,
        keys: KeyRing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Name the database.

        Args:
            place: A file's path, a URL, or a `Database` that is shared with others.
            tenant: Whose rows these are; no other tenant's can be seen.
            keys: Encrypts whatever people wrote; belongs to a path or URL.
            clock: Gives Unix time in seconds.
        """
        self._is_owner = not isinstance(place, Database)
        self._database = place if isinstance(place, Database) else Database(place, keys=keys)
        self._tenant = self._database.tenant(tenant)
        self._clock = clock

    @property
    def database(self) -> Database:
        """The database, with all its tenants."""
        return self._database

    @property
    def rows(self) -> TenantDatabase:
        """The tenant's part of the database."""
        return self._tenant

    @property
    def tenant(self) -> str:
        """Whose rows these are."""
        return self._tenant.tenant

    @property
    def clock(self) -> Callable[[], float]:
        """Gives Unix time in seconds."""
        return self._clock

    @cached_property
    def sessions(self) -> SessionStore:
        """Conversations, with every step of their runs."""
        from smallhold.state.sessions import SessionStore  # noqa: PLC0415 - opened when used

        return SessionStore(self._tenant, clock=self._clock)

    @cached_property
    def approvals(self) -> Approvals:
        """Calls that wait for a person's yes."""
        from smallhold.state.approvals import Approvals  # noqa: PLC0415 - opened when used

        return Approvals(self._tenant, clock=self._clock)

    @cached_property
    def outbox(self) -> Outbox:
        """Effects that wait for a network."""
        from smallhold.state.outbox import Outbox  # noqa: PLC0415 - opened when used

        return Outbox(self._tenant, clock=self._clock)

    @cached_property
    def memory(self) -> Memory:
        """Facts that agents remember."""
        from smallhold.state.memory import Memory  # noqa: PLC0415 - opened when used

        return Memory(self._tenant, clock=self._clock)

    def for_tenant(self, tenant: str) -> State:
        """Give another tenant's state in the same database.

        Raises:
            ConfigError: The tenant's name is not usable.
        """
        return State(self._database, tenant=tenant, clock=self._clock)

    async def aclose(self) -> None:
        """Close the database, unless it was given by somebody who shares it."""
        if self._is_owner:
            await self._database.aclose()
