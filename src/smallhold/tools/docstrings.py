"""What a function's docstring says to a model: this file holds the reader of Google docstrings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from docstring_parser import ParseError
from docstring_parser.google import GoogleParser, Section, SectionType

from smallhold.exceptions import ToolDefinitionError

_PARAMETER_TITLES = (
    "Args",
    "Arguments",
    "Parameters",
    "Params",
    "Keyword Args",
    "Keyword Arguments",
    "Other Parameters",
)
_OTHER_TITLES = ("Returns", "Yields", "Raises", "Example", "Examples", "Note", "Notes", "Warns")

# Only the parameters' sections are read entry by entry: free text under `Raises:` or `Returns:`
# is common, and no reason to refuse a tool.
_PARSER = GoogleParser(
    [Section(title, "param", SectionType.MULTIPLE) for title in _PARAMETER_TITLES]
    + [Section(title, "other", SectionType.SINGULAR) for title in _OTHER_TITLES]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDocstring:
    """The parts of a docstring that a model is shown."""

    summary: str
    """The first paragraph on one line; empty if there is none."""
    parameters: Mapping[str, str]
    """Descriptions by parameter name, each on one line."""


def read_docstring(text: str | None, *, tool: str) -> ToolDocstring:
    """Read the summary and the parameters' descriptions of a Google docstring.

    Args:
        text: The docstring as written, indented or not.
        tool: The tool's name, for the error.

    Raises:
        ToolDefinitionError: The `Args:` section has an entry without a colon or a name.
    """
    try:
        parsed = _PARSER.parse(text)
    except ParseError as error:
        raise ToolDefinitionError(
            tool=tool,
            parameter=None,
            problem=f"the docstring's arguments cannot be read ({error})",
            remedy="Write each one as `name: what it means` under `Args:`.",
        ) from error
    paragraph = parsed.short_description or ""
    if not parsed.blank_after_short_description and parsed.long_description:
        rest = parsed.long_description.split("\n\n", maxsplit=1)[0]
        paragraph = f"{paragraph} {rest}"
    return ToolDocstring(
        summary=_one_line(paragraph),
        parameters={
            parameter.arg_name: _one_line(parameter.description or "")
            for parameter in parsed.params
        },
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
