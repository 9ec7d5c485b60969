"""One form for equal values: this file holds the hash of JSON that decisions are bound to."""

from __future__ import annotations

import hashlib
import json

from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject


def hash_arguments(arguments: JsonObject) -> str:
    """Hash a call's arguments, see `hash_json`. Raises `ConfigError` for what is no plain JSON."""
    return hash_json(arguments, field="arguments")


def hash_json(value: JsonObject, *, field: str) -> str:
    """Hash an object: the same for every order of keys, another for any other value.

    SHA-256, as 64 hexadecimal digits, of canonical JSON: keys sorted, no spaces, ASCII only.
    Numbers are written as Python writes them, so that integers of any size keep all of their
    digits; `1` and `1.0` differ.

    Source: FIPS 180-4 for SHA-256; RFC 8785 for sorted keys without spaces. It would write numbers
    as JavaScript does and characters as UTF-8, which loses large integers and cannot write half
    a surrogate pair, and models produce both.

    Args:
        value: The object.
        field: What it is, for the error.

    Raises:
        ConfigError: A value is not JSON: NaN, an infinity, or another type.
    """
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as error:
        # The value itself is left out: arguments may not appear in logs.
        raise ConfigError(
            field=field, value=type(value).__name__, remedy=f"give plain JSON ({error})"
        ) from error
    return hashlib.sha256(text.encode("ascii")).hexdigest()
