"""Applications that come with the package: this file holds where they are and how to import them.

In a wheel they lie beside the package's own modules, in a checkout in the repository's `examples`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError

_PACKAGE: Final = Path(__file__).resolve().parents[1]
FOLDERS: Final = (_PACKAGE / "examples", _PACKAGE.parents[1] / "examples")
"""Where applications may lie: in a wheel, then in a checkout."""


def make_importable(application: str, *, folders: Sequence[Path] = FOLDERS) -> Path:
    """Put an application's folder on `sys.path`, so that it can be imported by its name.

    Returns:
        The application's folder.

    Raises:
        ConfigError: it is in none of the folders.
    """
    for folder in folders:
        if (folder / application / "__init__.py").is_file():
            if str(folder) not in sys.path:
                # Last, so that nothing in it can stand before an installed package.
                sys.path.append(str(folder))
            return folder / application
    raise ConfigError(
        field="application",
        value=application,
        remedy="it is not part of this install; install Smallhold again",
    )
