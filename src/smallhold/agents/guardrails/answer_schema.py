"""Answers of a given form: this file holds the guardrail for answers that a program reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from smallhold.agents.guardrails.checks import OutputCheck
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.exceptions import ConfigError


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """Blocks answers that are no JSON of a type.

    Raises:
        ConfigError: the type has no schema.
    """

    type: Any
    """A pydantic model, a dataclass, `list[...]`, `Literal[...]` or another type of data."""
    name: str = field(default="answer_schema", kw_only=True)
    _adapter: TypeAdapter[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the validator, which fails for types that are no data."""
        try:
            # A type may be any form of annotation, for which Python 3.11 has no type.
            adapter: TypeAdapter[Any] = TypeAdapter(self.type)
        except (PydanticUserError, TypeError, NameError) as error:
            raise ConfigError(
                field="type", value=self.type, remedy="give a type that pydantic can validate"
            ) from error
        object.__setattr__(self, "_adapter", adapter)

    def check_output(self, check: OutputCheck) -> Verdict:
        """Validate the answer's whole text."""
        try:
            self._adapter.validate_json(check.text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"])) or "the answer"
            return Verdict.block(f"{place}: {first['msg']} ({error.error_count()} problems)")
        return Verdict.ok()
