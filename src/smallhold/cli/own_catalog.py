"""The option `--catalog`: this file holds its way into the settings of every command."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from smallhold.settings import CATALOG_VARIABLE


@contextmanager
def use_catalog(path: Path) -> Generator[None]:
    """Let the settings of this process name a catalog file until the command has ended.

    The environment is where they come from, in this process and in those that it starts.
    """
    before = os.environ.get(CATALOG_VARIABLE)
    os.environ[CATALOG_VARIABLE] = str(path.absolute())
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(CATALOG_VARIABLE, None)
        else:
            os.environ[CATALOG_VARIABLE] = before
