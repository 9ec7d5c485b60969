"""Sessions that nobody needs any more: this file holds their deletion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import bindparam, delete, select

from smallhold.exceptions import ConfigError, SessionBusyError
from smallhold.state.approvals import Approvals
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.sessions.rows import Row, known_run, known_session, session_row
from smallhold.state.tables.sessions import SESSIONS

_DELETE: Final = delete(SESSIONS).where(SESSIONS.c.id == bindparam("session_id"))
_BY_USE: Final = select(SESSIONS.c.id, SESSIONS.c.updated_s, SESSIONS.c.open_run).order_by(
    SESSIONS.c.updated_s.desc(), SESSIONS.c.id
)
AT_ONCE: Final = 50
"""Sessions deleted in one transaction: other writers wait meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """When a session was last used."""

    session: str
    updated_s: float
    is_open: bool
    """Its latest run has not ended."""


def outdated(
    uses: Sequence[LastUse],
    *,
    now_s: float,
    older_than_s: float | None,
    keep: int | None,
    unfinished: bool,
) -> tuple[str, ...]:
    """Choose the sessions to delete.

    Args:
        uses: All sessions, the one that was used last first.
        now_s: Unix seconds.
        older_than_s: Delete those whose last use is so long ago.
        keep: Delete all but so many.
        unfinished: Also those whose latest run has not ended.
    """
    chosen: list[str] = []
    for place, use in enumerate(uses):
        is_old = older_than_s is not None and now_s - use.updated_s >= older_than_s
        is_beyond = keep is not None and place >= keep
        if (is_old or is_beyond) and (unfinished or not use.is_open):
            chosen.append(use.session)
    return tuple(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Deletes sessions."""

    rows: TenantDatabase
    clock: Callable[[], float]

    async def delete(self, session: str) -> None:
        """Delete one; see `SessionStore.delete`."""
        async with self.rows.writing() as connection:
            row = await known_session(connection, session)
            if await self._is_live(connection, row["open_run"]):
                raise SessionBusyError(session=session)
            await self._deleted(connection, session)

    async def prune(
        self, *, older_than_s: float | None, keep: int | None, unfinished: bool
    ) -> tuple[str, ...]:
        """Delete what is old; see `SessionStore.prune`."""
        if older_than_s is None and keep is None:
            raise ConfigError(
                field="older_than_s", value=None, remedy="give it, or `keep`, or both"
            )
        for field, value in (("older_than_s", older_than_s), ("keep", keep)):
            if value is not None and not value >= 0:
                raise ConfigError(field=field, value=value, remedy="give at least 0")
        async with self.rows.reading() as connection:
            found = (await connection.execute(_BY_USE)).mappings().all()
        uses = [
            LastUse(
                session=row["id"],
                updated_s=row["updated_s"],
                is_open=row["open_run"] is not None,
            )
            for row in cast("Sequence[Row]", found)
        ]
        chosen = outdated(
            uses,
            now_s=self.clock(),
            older_than_s=older_than_s,
            keep=keep,
            unfinished=unfinished,
        )
        gone: list[str] = []
        used = {use.session: use.updated_s for use in uses}
        for start in range(0, len(chosen), AT_ONCE):
            async with self.rows.writing() as connection:
                for session in chosen[start : start + AT_ONCE]:
                    row = await session_row(connection, session)
                    # Somebody may have used or deleted it since it was chosen.
                    if row is None or row["updated_s"] != used[session]:
                        continue
                    if await self._is_live(connection, row["open_run"]):
                        continue
                    await self._deleted(connection, session)
                    gone.append(session)
        return tuple(gone)

    async def _is_live(self, connection: TenantConnection, run: str | None) -> bool:
        return run is not None and (await known_run(connection, run)).is_live

    async def _deleted(self, connection: TenantConnection, session: str) -> None:
        await Approvals(self.rows).remove(session=session, connection=connection)
        await connection.execute(_DELETE, {"session_id": session})
