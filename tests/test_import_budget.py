"""What `import smallhold` costs: this file holds promises about modules loaded and memory used.

Its time depends on the machine, so `benchmarks/import_time.py` reports it instead of a test.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "a2a", "aiohttp", "alembic", "cryptography", "fastapi", "httpcore2", "httpx", "httpx2",
    "huggingface_hub", "jinja2", "llama_cpp", "llguidance", "mcp", "msgspec", "numpy",
    "opentelemetry", "pypdf", "requests", "sqlalchemy", "starlette", "typer", "uvicorn",
}  # fmt: skip
MAX_RESIDENT_BYTES = 60_000_000
"""Source: anyio, pydantic, our models and tools together measured 36 MB on Linux x86-64."""
PROGRAM = """
import json, sys
import smallhold
import psutil
print(json.dumps([sorted(sys.modules), psutil.Process().memory_info().rss]))
"""


@pytest.fixture(scope="module")
def imported() -> tuple[list[str], int]:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules, resident_bytes = json.loads(done.stdout)
    return modules, resident_bytes


def test_importing_the_package_loads_no_heavy_library(imported: tuple[list[str], int]) -> None:
    modules, _ = imported
    assert "smallhold" in modules
    assert not HEAVY.intersection(modules)


def test_importing_the_package_stays_below_its_memory_budget(
    imported: tuple[list[str], int],
) -> None:
    _, resident_bytes = imported
    assert resident_bytes < MAX_RESIDENT_BYTES
