from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from smallhold import exceptions
from smallhold.exceptions import (
    CallerError,
    ConfigError,
    ContextOverflowError,
    EngineError,
    ModelError,
    PeerError,
    RunError,
    SmallholdError,
    SourcesExhaustedError,
    SourceUnavailableError,
    StateError,
    UnknownModelError,
)

BRANCHES = (CallerError, ModelError, EngineError, StateError, PeerError, RunError)
DRAWN = re.compile(r"^    ([│├└─ ]*)(\w+Error)\b", re.MULTILINE)


def classes() -> list[type[SmallholdError]]:
    return [
        kind
        for _, kind in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(kind, SmallholdError)
    ]


def leaves() -> list[type[SmallholdError]]:
    return [kind for kind in classes() if kind not in {SmallholdError, *BRANCHES}]


def drawn_parents() -> Iterator[tuple[str, str]]:
    """Each drawn class with the class it is drawn below."""
    path: list[str] = []
    for branch, name in DRAWN.findall(exceptions.__doc__ or ""):
        depth = len(branch) // 4
        path[depth:] = [name]
        if depth:
            yield name, path[depth - 1]


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    actual = {(kind.__name__, kind.__mro__[1].__name__) for kind in classes()}
    assert set(drawn_parents()) == actual - {("SmallholdError", "Exception")}


def test_every_class_of_the_module_is_in_the_tree() -> None:
    strangers = [
        kind
        for _, kind in inspect.getmembers(exceptions, inspect.isclass)
        if kind.__module__.startswith(exceptions.__name__) and not issubclass(kind, SmallholdError)
    ]
    assert not strangers


@pytest.mark.parametrize("kind", leaves(), ids=lambda kind: kind.__name__)
def test_every_error_belongs_to_exactly_one_who_can_act(kind: type[SmallholdError]) -> None:
    assert sum(issubclass(kind, branch) for branch in BRANCHES) == 1


@pytest.mark.parametrize("kind", leaves(), ids=lambda kind: kind.__name__)
def test_every_error_is_built_from_named_fields(kind: type[SmallholdError]) -> None:
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    assert parameters
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}


def test_a_message_tells_what_is_wrong_and_what_to_do() -> None:
    error = ContextOverflowError(prompt_tokens=5000, limit_tokens=4096)
    assert "5,000" in str(error)
    assert "4,096" in str(error)
    assert "Shorten" in str(error)


def test_a_bad_value_is_named_with_its_field() -> None:
    error = ConfigError(field="threads", value=0, remedy="give 1 or more")
    assert str(error) == "threads = 0 cannot be used: give 1 or more"


def test_a_misspelt_alias_gets_hints_and_a_foreign_one_the_list() -> None:
    near = UnknownModelError(alias="smolm", near=["smollm2-135m"], known=["smollm2-135m", "b"])
    far = UnknownModelError(alias="x", near=[], known=["smollm2-135m", "b"])
    assert "Did you mean smollm2-135m?" in str(near)
    assert "Known aliases: smollm2-135m, b." in str(far)


def test_every_source_that_failed_is_told_on_its_own_line() -> None:
    failures = [SourceUnavailableError(source=name, reason="is down") for name in ("a", "b")]
    error = SourcesExhaustedError(alias="m", failures=failures)
    assert str(error).count("\n  - ") == 2
    assert error.failures == tuple(failures)
