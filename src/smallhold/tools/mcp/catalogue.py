"""What is shown of a server and what it offers by now: this file holds the two apart.

A model is shown the same tools from start to end of a program, unless its owner applies changes
between two messages. Whatever a server changes meanwhile is noticed, remembered and reported.
"""

from __future__ import annotations

import logging

from smallhold.exceptions import PeerChangedError
from smallhold.tools.mcp.hints import is_riskier
from smallhold.tools.mcp.listing_cache import ListingCache, Remembered
from smallhold.tools.mcp.offers import Changes, Listing, OnChanges, differences, settled
from smallhold.tools.mcp.settings import WhenChanged

_log = logging.getLogger(__name__)


class Catalogue:
    """The offers of one server, remembered in a file."""

    def __init__(
        self,
        *,
        server: str,
        identity: str,
        cache: ListingCache | None,
        when_changed: WhenChanged,
        on_changes: OnChanges | None = None,
    ) -> None:
        """Recall what is known.

        Args:
            server: The server's name, for errors and the log.
            identity: What it is remembered by.
            cache: Where; `None` remembers nothing beyond this program.
            when_changed: When changes are shown to a model.
            on_changes: Called with each change that is noticed.
        """
        self._server = server
        self._identity = identity
        self._cache = cache
        self._on_changes = on_changes
        remembered = None if cache is None else cache.load(identity)
        self._shown: Listing | None = None
        self._newest: Listing | None = None
        if remembered is not None:
            is_start = when_changed is WhenChanged.AT_START
            self._shown = (remembered.newest if is_start else None) or remembered.shown
            self._newest = remembered.newest or remembered.shown

    @property
    def shown(self) -> Listing | None:
        """What models are shown; `None` before the server has ever been asked."""
        return self._shown

    @property
    def newest(self) -> Listing | None:
        """What the server offered when it was last asked."""
        return self._newest

    @property
    def changes(self) -> Changes:
        """How the newest listing differs from what is shown."""
        if self._shown is None or self._newest is None:
            return Changes()
        return differences(self._shown, self._newest)

    def notice(self, listing: Listing) -> None:
        """Take in what the server offers now."""
        before = self._newest
        self._newest = settled(listing, known=self._newest)
        if self._shown is None:
            self._shown = self._newest
        self._newest = settled(self._newest, known=self._shown)
        self._save()
        if before is None or not differences(before, self._newest):
            return
        changes = self.changes
        _log.warning(
            "mcp.offers_changed",
            extra={
                "server": self._server,
                "added": len(changes.added),
                "removed": len(changes.removed),
                "changed": len(changes.changed),
            },
        )
        if self._on_changes is not None:
            self._on_changes(changes)

    def apply(self) -> Changes:
        """Show the newest listing from now on; hand back what that changes."""
        changes = self.changes
        if changes:
            self._shown = self._newest
            self._save()
        return changes

    def check(self, tool: str) -> None:
        """Refuse a call of a tool that is no longer what was shown, or is gone.

        A changed schema alone is no reason: the server checks its arguments.

        Raises:
            PeerChangedError: It is gone, or claims less safety than when it was shown.
        """
        was = None if self._shown is None else self._shown.tool(tool)
        if was is None or self._newest is None:
            return
        now = self._newest.tool(tool)
        if now is None:
            raise PeerChangedError(peer=self._server, offer=tool, change="it is no longer offered")
        if is_riskier(now.hints, than=was.hints):
            raise PeerChangedError(
                peer=self._server, offer=tool, change="it now says that it does more harm"
            )

    def _save(self) -> None:
        if self._cache is None or self._shown is None:
            return
        is_settled = not self.changes
        self._cache.save(
            self._identity,
            Remembered(shown=self._shown, newest=None if is_settled else self._newest),
        )
