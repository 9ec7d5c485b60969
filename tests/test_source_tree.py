"""The shape of the source tree: this file holds promises about names, sizes and places of files."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import smallhold

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "smallhold"
CODE_FOLDERS = ("src", "tests", "examples", "benchmarks")
MAX_LINES = 600
DRAWERS = {"utils", "util", "helpers", "helper", "core", "common", "base", "misc"}
VAGUE_ENDINGS = ("Manager", "Helper", "Impl")
CONTRACT_NAMES = {"FoundryLocalManager", "OllamaManager", "VLLMManager"}
"""Public names that users were promised, in spite of the rule."""

ENTRANCES = {"__init__.py", "__main__.py"}
"""Files that only let others in; what is behind them has the tests."""

WITHOUT_OWN_TEST = {
    "models/sources/protocol.py": "only a protocol; every source's tests hold it to it",
    "runtimes/protocol.py": "only a protocol; every runtime's tests hold it to it",
    "state/migrations/env.py": "run by Alembic alone; the tests of the migrations go through it",
}
"""Modules that need no test file of their own, and why."""

FOLDERS_TESTED_AS_ONE = {
    "exceptions": "one tree, held to its drawing by `test_exceptions.py`",
    "state/tables": "data; the tests of the migrations compare them with a real database",
    "state/migrations/versions": "steps of one way, walked by the tests of the migrations",
}
"""Folders whose modules make sense together only, and where their tests are."""

TOOL_FOLDERS = {
    ".cache", ".git", ".hypothesis", ".import_linter_cache", ".pytest_cache", ".ruff_cache",
    ".venv", "__pycache__", "build", "dist", "site",
}  # fmt: skip
REGISTRY_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com")
MACHINE_FOLDERS = tuple(f"/{folder}/" for folder in ("work", "root", "home", "Users"))


def code_files(*folders: str) -> list[Path]:
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file for file in files if "__pycache__" not in file.parts)


def project_files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not TOOL_FOLDERS.intersection(parts):
            yield path


def names(files: list[Path]) -> str:
    """One name a line; as the message of an `assert`, pytest shows it whole."""
    return "\n".join(str(file.relative_to(ROOT)) for file in files)


def test_no_file_of_code_is_longer_than_the_limit() -> None:
    files = code_files(*CODE_FOLDERS)
    assert files
    long = [file for file in files if len(file.read_text("utf-8").splitlines()) > MAX_LINES]
    assert not long, names(long)


def test_no_module_or_package_is_a_drawer() -> None:
    files = code_files(*CODE_FOLDERS)
    drawers = [f for f in files if DRAWERS.intersection({f.stem, *f.relative_to(ROOT).parts[:-1]})]
    assert not drawers, names(drawers)


def test_no_module_of_the_package_has_a_private_name() -> None:
    files = [file for file in code_files("src") if file.name not in ENTRANCES]
    private = [file for file in files if file.stem.startswith("_")]
    assert not private, names(private)


def test_no_class_has_a_vague_name() -> None:
    vague = [
        f"{file.relative_to(ROOT)}: {node.name}"
        for file in code_files(*CODE_FOLDERS)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and node.name.endswith(VAGUE_ENDINGS)
        and node.name not in CONTRACT_NAMES
    ]
    assert not vague, "\n".join(vague)


def test_every_module_says_what_it_holds() -> None:
    silent: list[Path] = []
    for file in code_files("src", "examples", "benchmarks"):
        docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        if file.name != "__init__.py" and "this file holds" not in " ".join(docstring.split()):
            silent.append(file)
    assert not silent, names(silent)


def test_every_module_has_a_test_file_at_the_same_place() -> None:
    missing: list[Path] = []
    for file in code_files("src"):
        place = file.relative_to(SOURCE)
        test = ROOT / "tests" / place.parent / f"test_{place.name}"
        if str(place.parent) in FOLDERS_TESTED_AS_ONE:
            continue
        if place.name not in ENTRANCES and str(place) not in WITHOUT_OWN_TEST:
            missing += [] if test.exists() else [test]
    assert not missing, names(missing)


def test_modules_excused_from_a_test_file_exist() -> None:
    excused = (*WITHOUT_OWN_TEST, *FOLDERS_TESTED_AS_ONE)
    assert not [place for place in excused if not (SOURCE / place).exists()]


def test_no_file_names_a_registry_or_a_folder_of_some_machine() -> None:
    found: list[str] = []
    for file in project_files():
        text = file.read_bytes().decode("utf-8", "replace")
        for word in (*REGISTRY_HOSTS, str(ROOT), *MACHINE_FOLDERS):
            found += [f"{file.relative_to(ROOT)}: {word}"] if word in text else []
    assert not found, "\n".join(found)


def package_names() -> list[str]:
    packages = pkgutil.walk_packages(smallhold.__path__, prefix="smallhold.")
    return ["smallhold", *(module.name for module in packages if module.ispkg)]


@pytest.mark.parametrize("package", package_names())
def test_every_package_lists_its_public_names_and_has_them(package: str) -> None:
    module = importlib.import_module(package)
    public: list[str] = module.__all__
    assert sorted(set(public)) == sorted(public)
    assert not [name for name in public if not hasattr(module, name)]
