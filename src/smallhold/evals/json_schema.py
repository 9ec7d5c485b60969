"""JSON Schema draft 2020-12 by the `jsonschema` library: this file holds the adapter to it.

Importing it needs the `evals` extra.
"""

from __future__ import annotations

import re

from jsonschema import Draft202012Validator, SchemaError, ValidationError, validate
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaRegistry

from smallhold.messages import JsonObject, JsonValue

NO_RETRIEVAL: SchemaRegistry = Registry()
"""Without a registry of its own, `jsonschema` would fetch a remote `$ref` over HTTP."""


def is_valid_json(value: JsonValue, schema: JsonObject) -> bool:
    """Is `value` valid under `schema`? Never goes to the network.

    Under a schema that is itself unsound (an unknown type, a reference to elsewhere, one that
    refers to itself without end) nothing is valid.
    """
    try:
        validate(value, schema, cls=Draft202012Validator, registry=NO_RETRIEVAL)
    except (ValidationError, SchemaError, Unresolvable, re.error, RecursionError):
        return False
    return True
