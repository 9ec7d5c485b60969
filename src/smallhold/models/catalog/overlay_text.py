"""Changing one model in a catalog file that people write by hand: this file holds the edits.

Everything else in the file stays as it is, comments and order included. A text that is laid out in
a way that cannot be edited in place is written anew, which keeps what it says.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any, Final, cast

import yaml

from smallhold.exceptions import CatalogError
from smallhold.models.catalog.yaml_reader import Span, YamlDocument, read_yaml

_WIDTH: Final = 100
_EMPTY: Final = "version: 2\nmodels:\n"
_RARE_BREAKS: Final = re.compile("[\x85\u2028\u2029]")
"""Characters that end a line for YAML; a text that has them is written with escapes."""
_TRAILER: Final = re.compile(r"(?:\s*(?:^|(?<=\n))[ \t]*#[^\n]*)*\s*\Z")
"""Blank lines and comment lines at the end of a text."""


def with_model(text: bytes, *, alias: str, model: Mapping[str, Any], file: str) -> bytes:
    """Add a model to a catalog text, or put it where one of that alias is.

    Args:
        text: The text as UTF-8; an empty one is a new file.
        alias: The model's.
        model: As a catalog file has it, such as `model_document` makes it.
        file: Name of the file for errors.

    Raises:
        CatalogError: The text is no YAML, or its root is no mapping.
    """
    document = read_yaml(text, file=file)
    whole = text.decode("utf-8-sig")
    if document.value is None:
        whole = f"{whole.rstrip()}\n{_EMPTY}".lstrip()
        document = read_yaml(whole.encode(), file=file)
    models = _models(document, file=file)
    wanted = {**document.value, "models": {**models, alias: dict(model)}}
    return _checked(_placed(whole, document, alias=alias, model=model), wanted=wanted, file=file)


def with_signature(text: bytes, *, alias: str, signature: str, file: str) -> bytes:
    """Write a model's signature into a catalog text.

    Where the text does not have the model, it gets an entry with nothing but the signature: what is
    signed is then the entry of the catalog that the text is laid over.

    Raises:
        CatalogError: The text is no YAML, or its root is no mapping.
    """
    document = read_yaml(text, file=file)
    models = _models(document, file=file)
    model = models.get(alias)
    if not isinstance(model, dict):
        return with_model(text, alias=alias, model={"signature": signature}, file=file)
    signed = {**cast("dict[str, Any]", model), "signature": signature}
    wanted = {**document.value, "models": {**models, alias: signed}}
    whole = text.decode("utf-8-sig")
    edited = _with_line(whole, document, alias=alias, line=f'signature: "{signature}"')
    return _checked(edited, wanted=wanted, file=file)


def _models(document: YamlDocument, *, file: str) -> dict[str, Any]:
    root: Any = {} if document.value is None else document.value
    models: Any = cast("dict[str, Any]", root).get("models") if isinstance(root, dict) else root
    if not isinstance(root, dict) or not isinstance(models, dict | None):
        raise CatalogError(file=file, place="whole file", problem="it is no catalog of models")
    return cast("dict[str, Any]", models or {})


def _checked(edited: str | None, *, wanted: dict[str, Any], file: str) -> bytes:
    """The edited text if it says what is wanted, otherwise a new one that does."""
    if edited is not None:
        try:
            if read_yaml(edited.encode(), file=file).value == wanted:
                return edited.encode()
        except CatalogError:
            pass
    return _dumped(wanted).encode()


def _placed(
    whole: str, document: YamlDocument, *, alias: str, model: Mapping[str, Any]
) -> str | None:
    all_models = document.spans.get(("models",))
    if all_models is None:
        return f"{whole.rstrip()}\nmodels:\n{_block(alias, model, indent=2)}"
    there = document.spans.get(("models", alias))
    if there is not None:
        block = _block(alias, model, indent=_column(whole, there.start))
        end = _content_end(whole, there)
        return f"{whole[: there.start]}{block.strip()}{whole[end:]}"
    first = next((place for place in document.spans if _is_model(place)), None)
    indent = 2 if first is None else _column(whole, document.spans[first].start)
    end = _content_end(whole, all_models)
    block = _block(alias, model, indent=indent)
    gap = "\n" if first is None else "\n\n"
    return f"{whole[:end]}{gap}{block.rstrip()}\n{whole[end:].lstrip(' ').removeprefix(chr(10))}"


def _with_line(whole: str, document: YamlDocument, *, alias: str, line: str) -> str | None:
    there = document.spans.get(("models", alias, "signature"))
    if there is not None:
        end = _content_end(whole, there)
        return f"{whole[: there.start]}{line}{whole[end:]}"
    starts = [
        span.start for place, span in document.spans.items() if place[:-1] == ("models", alias)
    ]
    if not starts or not document.spans["models", alias].is_block:
        return None
    start = min(starts)
    return f"{whole[:start]}{line}\n{' ' * _column(whole, start)}{whole[start:]}"


def _block(alias: str, model: Mapping[str, Any], *, indent: int) -> str:
    return textwrap.indent(_dumped({alias: dict(model)}), " " * indent)


def _dumped(document: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=_WIDTH)
    if _RARE_BREAKS.search(text):
        # PyYAML writes them as they are and reads them as spaces.
        text = yaml.safe_dump(document, sort_keys=False, width=_WIDTH)
    return text


def _is_model(place: tuple[int | str, ...]) -> bool:
    return len(place) == len(("models", "alias")) and place[0] == "models"


def _column(whole: str, start: int) -> int:
    return start - (whole.rfind("\n", 0, start) + 1)


def _content_end(whole: str, span: Span) -> int:
    """Where a value ends, without the blank lines and comments that the parser counts to it."""
    text = whole[span.start : span.end]
    trailer = _TRAILER.search(text)
    return span.end if trailer is None else span.start + trailer.start()
