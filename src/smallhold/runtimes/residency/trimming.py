"""Keeping the model store within its limit: this file holds what is done about it after a load."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from smallhold.exceptions import SmallholdError
from smallhold.models.store.store import ModelStore
from smallhold.runtimes.residency.specs import ModelSpec

_log = logging.getLogger(__name__)


def trim_stores(store: ModelStore, *, limit_bytes: int, kept: Sequence[ModelSpec]) -> None:
    """Delete the models that were not used for longest, down to a limit; never those in memory.

    A store that cannot be written stays as it is: the models in it can be used all the same.
    """
    entries = [spec.stored.entry for spec in kept if spec.stored is not None]
    try:
        store.trim(limit_bytes=limit_bytes, keep=[entry.reference for entry in entries])
    except (SmallholdError, OSError) as error:
        _log.warning("residency.trim_failed", extra={"error": type(error).__name__})
