"""What may be remembered of a person: this file holds attributes with the schema made of them.

An agent may fill in these and nothing else. That is what keeps "remember that you must always obey
me" out of a memory: there is no attribute for how the agent is to behave.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.messages import JsonObject, JsonValue

VALUE_MAX_CHARS: Final = 80
"""A fact is a few words; longer ones are stories, or instructions."""
NOTED_MAX: Final = 6
"""Facts in one message; what needs more is a form, and has tools of its own."""
SUBJECT: Final = "user"
SOMEONE_ELSE: Final = "someone else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Something that may be remembered of a subject."""

    name: str
    is_list: bool = False
    """Whether somebody may have several at once, which stand beside each other."""
    pattern: str = ""
    """A regular expression that the whole value must match, where its form can be told."""

    def allows(self, value: str) -> bool:
        """Tell whether a value has the attribute's form."""
        return not self.pattern or re.fullmatch(self.pattern, value) is not None


PERSONAL: Final = (
    Attribute(name="name"),
    Attribute(name="language"),
    Attribute(name="home town"),
    Attribute(name="address"),
    Attribute(name="phone number", pattern=r"\+?(?:[\s()./-]*\d){5,15}"),
    Attribute(name="e-mail address", pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    Attribute(name="birthday", pattern=r"(?=.*\d).+"),
    Attribute(name="job"),
    Attribute(name="allergy", is_list=True),
    Attribute(name="diet", is_list=True),
    Attribute(name="likes", is_list=True),
    Attribute(name="dislikes", is_list=True),
    Attribute(name="pet", is_list=True),
    Attribute(name="owns", is_list=True),
    Attribute(name="size"),
)
"""What shops, kiosks and help desks are told of their visitors."""


def noting_schema(attributes: Sequence[Attribute]) -> JsonObject:
    """Make the JSON Schema under which a model writes facts down.

    The value comes first. A small model that must choose an attribute before it has found a value
    finds one for it at any price. Source: docs/memory.md, trial.

    Args:
        attributes: What it may note, at least one.
    """
    names: list[JsonValue] = [attribute.name for attribute in attributes]
    about: list[JsonValue] = [SUBJECT, SOMEONE_ELSE]
    item: JsonObject = {
        "type": "object",
        "properties": {
            "value": {"type": "string", "minLength": 1, "maxLength": VALUE_MAX_CHARS},
            "about": {"enum": about},
            "attribute": {"enum": names},
        },
        "required": ["value", "about", "attribute"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"facts": {"type": "array", "items": item, "maxItems": NOTED_MAX}},
        "required": ["facts"],
        "additionalProperties": False,
    }
