"""Promises of `import smallhold`: this file holds tests of its public names."""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib import import_module

import pytest

import smallhold

HOMES = {
    "Agent": "smallhold.agents",
    "Config": "smallhold.agents",
    "Example": "smallhold.agents",
    "ResourceConfig": "smallhold.runtimes.residency",
    "Result": "smallhold.agents",
    "tool": "smallhold.tools",
}


def test_the_public_names_are_these() -> None:
    assert sorted(smallhold.__all__) == sorted(HOMES)


@pytest.mark.parametrize(("name", "home"), HOMES.items())
def test_a_public_name_is_the_very_object_of_its_home(name: str, home: str) -> None:
    assert getattr(smallhold, name) is getattr(import_module(home), name)
    assert name in dir(smallhold)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Agnet'"):
        _ = smallhold.Agnet  # pyright: ignore[reportAttributeAccessIssue] - what the test is about


def test_names_are_imported_when_they_are_first_used() -> None:
    program = (
        "import sys, smallhold\n"
        "assert not [name for name in sys.modules if name.startswith('smallhold.')]\n"
        "smallhold.tool\n"
        "assert 'smallhold.tools' in sys.modules\n"
        "assert 'smallhold.agents' not in sys.modules\n"
        "from smallhold import *\n"
        "assert Agent is smallhold.Agent\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_library_writes_no_log_line_unless_it_is_asked_to() -> None:
    handlers = logging.getLogger("smallhold").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
