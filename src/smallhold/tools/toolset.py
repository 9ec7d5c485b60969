"""The tools of one agent: this file holds `ToolSet`, an ordered collection with unique names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from smallhold.exceptions import ToolDefinitionError
from smallhold.messages import ToolSchema
from smallhold.tools.definition import AnyTool, as_tool
from smallhold.tools.problems import MESSAGE_LIMIT_CHARS, shorten
from smallhold.tools.signatures import AnyFunction

_NAME_LIMIT_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTool:
    """A name that no tool of a set bears: an expected slip of a small model, so a value."""

    name: str
    near: tuple[str, ...]
    """Names that look alike, the likest first."""
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        """One line for the model, at most `MESSAGE_LIMIT_CHARS` characters."""
        name = shorten(self.name, limit_chars=_NAME_LIMIT_CHARS)
        hint = f" Did you mean `{self.near[0]}`?" if self.near else ""
        listing = ", ".join(self.known) or "none"
        return shorten(
            f"there is no tool `{name}`.{hint} Tools: {listing}", limit_chars=MESSAGE_LIMIT_CHARS
        )


class ToolSet:
    """Tools in the order in which they were added, which is the order of the prompt."""

    def __init__(self, tools: Iterable[AnyTool | AnyFunction] = ()) -> None:
        """Collect tools; functions become tools.

        Raises:
            ToolDefinitionError: Two tools share a name, or a function cannot become a tool.
        """
        self._tools: dict[str, AnyTool] = {}
        for candidate in tools:
            self.add(candidate)

    def add(self, candidate: AnyTool | AnyFunction) -> AnyTool:
        """Put a tool, or a function that becomes one, at the end; hand back the tool.

        Raises:
            ToolDefinitionError: The name is taken, or the function cannot become a tool.
        """
        tool = as_tool(candidate)
        if tool.name in self._tools:
            raise ToolDefinitionError(
                tool=tool.name,
                parameter=None,
                problem="another tool of the set has the same name",
                remedy="Rename one of them with `name=`.",
            )
        self._tools[tool.name] = tool
        return tool

    def replace(self, candidate: AnyTool | AnyFunction) -> AnyTool:
        """Put a tool in the place of the one that has its name; hand back the new one.

        The prompt keeps its order. A turn that is under way runs a call by the new tool, whose
        schema then decides whether the arguments will do.

        Raises:
            ToolDefinitionError: No tool has this name, or the function cannot become a tool.
        """
        tool = as_tool(candidate)
        self._refuse_unknown(tool.name)
        self._tools[tool.name] = tool
        return tool

    def remove(self, name: str) -> AnyTool:
        """Take a tool out and hand it back; a model's later calls of it are of an unknown tool.

        Raises:
            ToolDefinitionError: No tool has this name.
        """
        self._refuse_unknown(name)
        return self._tools.pop(name)

    def find(self, name: str) -> AnyTool | UnknownTool:
        """Look a tool up by the name that a model wrote."""
        if name in self._tools:
            return self._tools[name]
        return UnknownTool(name=name, near=near_names(name, self.names), known=self.names)

    def _refuse_unknown(self, name: str) -> None:
        if name not in self._tools:
            raise ToolDefinitionError(
                tool=name,
                parameter=None,
                problem="the set has no tool of this name",
                remedy=f"It has {', '.join(self._tools) or 'none'}.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The tools' names in order."""
        return tuple(self._tools)

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """What a model is shown, in order."""
        return tuple(tool.schema for tool in self)

    def __iter__(self) -> Iterator[AnyTool]:
        """Go through the tools in order."""
        return iter(tuple(self._tools.values()))

    def __len__(self) -> int:
        """Count the tools."""
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        """Tell whether a tool bears this name."""
        return name in self._tools


def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Find up to three known names that a model may have meant, the likest first.

    Case, `-`, `_`, `.` and spaces do not count: models write `getWeather` for `get_weather`.
    """
    by_plain_name = {_plain(candidate): candidate for candidate in known}
    matches = get_close_matches(_plain(name[:_NAME_LIMIT_CHARS]), by_plain_name)
    return tuple(by_plain_name[match] for match in matches)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
