"""The MCP server that an agent uses: this file holds its public face.

The SDK behind it is imported when a connection is first opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

import anyio

from smallhold.exceptions import PeerRefusalError, PeerTimeoutError
from smallhold.messages import JsonObject, Message
from smallhold.settings import load_settings
from smallhold.tools.definition import AnyTool
from smallhold.tools.mcp.addresses import (
    ProcessAddress,
    ServerAddress,
    WebAddress,
    check_address,
    default_name,
    identity_of,
    remote_host,
)
from smallhold.tools.mcp.background import in_background
from smallhold.tools.mcp.catalogue import Catalogue
from smallhold.tools.mcp.exchanges import Exchanges
from smallhold.tools.mcp.foreign_text import one_line
from smallhold.tools.mcp.hints import ToolHints
from smallhold.tools.mcp.listing_cache import ListingCache
from smallhold.tools.mcp.offered_tools import (
    Call,
    LeftOut,
    Made,
    make_tools,
    prompt_blueprints,
    readable,
    tool_blueprints,
)
from smallhold.tools.mcp.offers import Changes, Listing, OfferedPrompt, OfferedTool
from smallhold.tools.mcp.reading import (
    CallResult,
    Resource,
    ResourceContent,
    content_text,
    result_text,
)
from smallhold.tools.mcp.resource_tools import resource_blueprints, resource_listing
from smallhold.tools.mcp.settings import MCPOptions
from smallhold.tools.toolset import ToolSet

Value = TypeVar("Value")
_REASON_LIMIT_CHARS = 500


class MCPServer:
    """A tool server that speaks the Model Context Protocol.

    It is connected to when it is first needed, and again when a connection breaks; `async with`
    connects at once and disconnects at the end. All methods may be used from any event loop.
    """

    def __init__(
        self,
        address: ServerAddress,
        *,
        name: str | None = None,
        options: MCPOptions | None = None,
        offline_mode: bool = True,
    ) -> None:
        """Use a server; nothing is started or opened yet.

        Args:
            address: Where it is; `stdio` and `http` make one.
            name: What errors call it; by default made of its address.
            options: How its offers become tools.
            offline_mode: Whether only this machine may be spoken to, as in an agent's `Config`.

        Raises:
            ConfigError: The address cannot be used, or leads to another machine while offline.
        """
        settings = load_settings()
        check_address(address, offline=offline_mode or settings.offline)
        self._address = address
        self._options = options or MCPOptions()
        self.name = name or default_name(address)
        folder = self._options.cache_folder or settings.cache / "mcp"
        self._catalogue = Catalogue(
            server=self.name,
            identity=identity_of(address, name=self.name),
            cache=ListingCache(folder) if self._options.is_remembered else None,
            when_changed=self._options.when_changed,
            on_changes=self._options.on_changes,
        )
        self._exchanges = Exchanges(
            address,
            server=self.name,
            limits=self._options.limits,
            catalogue=self._catalogue,
        )
        self._made = Made(tools=())

    @classmethod
    def stdio(
        cls,
        command: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str] = MappingProxyType({}),
        folder: Path | None = None,
        name: str | None = None,
        options: MCPOptions | None = None,
    ) -> Self:
        """Use a server that is started as a process of this machine.

        Args:
            command: The program.
            arguments: Its arguments.
            environment: Variables for it. Of this process's own it is given only `PATH`, `HOME`
                and the like.
            folder: Its working directory.
            name: What errors call it.
            options: How its offers become tools.

        Raises:
            ConfigError: The command is empty.
        """
        address = ProcessAddress(
            command=command,
            arguments=tuple(arguments),
            environment=MappingProxyType(dict(environment)),
            folder=folder,
        )
        return cls(address, name=name, options=options)

    @classmethod
    def http(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        name: str | None = None,
        options: MCPOptions | None = None,
        offline_mode: bool = True,
    ) -> Self:
        """Use a server that runs already, by Streamable HTTP.

        Args:
            url: Its address, such as `http://127.0.0.1:8000/mcp`. No other one is ever opened.
            headers: Sent with every request, such as `Authorization`.
            name: What errors call it.
            options: How its offers become tools.
            offline_mode: Whether only this machine may be spoken to, as in an agent's `Config`.

        Raises:
            ConfigError: The address cannot be used, or leads to another machine while offline.
        """
        address = WebAddress(url=url, headers=MappingProxyType(dict(headers)))
        return cls(address, name=name, options=options, offline_mode=offline_mode)

    async def __aenter__(self) -> Self:
        """Connect. Raises as `connect`."""
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self.aclose()

    @property
    def remote_host(self) -> str | None:
        """The other machine that it is on; `None` if it is this one."""
        return remote_host(self._address)

    @property
    def instructions(self) -> str:
        """What it said about itself when it was last connected to: foreign text."""
        return self._exchanges.instructions

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What it offers and `tools` has left out, with reasons."""
        return self._made.left_out

    @property
    def hints(self) -> Mapping[str, ToolHints]:
        """What it says of its tools' effects, by its own names for them."""
        shown = self._catalogue.shown or Listing()
        return {tool.name: tool.hints for tool in shown.tools}

    @property
    def changes(self) -> Changes:
        """How its offers differ from what `tools` gives; false if they do not."""
        return self._catalogue.changes

    async def connect(self) -> None:
        """Connect, if it is not connected, and compare what it offers with what is known.

        Raises:
            ConfigError: The MCP SDK is not installed.
            PeerError: It cannot be started or reached, or is not ready in time.
        """
        await in_background(self._exchanges.connect)

    async def aclose(self) -> None:
        """Disconnect, and end the process if there is one; a later call connects again."""
        await in_background(self._exchanges.aclose)

    async def tools(self) -> tuple[AnyTool, ...]:
        """Make tools of what it offers, ordered by name.

        They are made of what is remembered, without a connection, if it was used before.

        Raises:
            PeerError: It is not known yet, and cannot be connected to.
        """
        if self._catalogue.shown is None:
            await self.connect()
        self._made = self._make(self._catalogue.shown or Listing())
        return self._made.tools

    async def offered(self) -> Made:
        """Connect, and tell what it offers now, whatever models are shown.

        Raises:
            PeerError: It cannot be connected to.
        """
        await self.connect()
        return self._make(self._catalogue.newest or Listing())

    async def apply_changes(self, tools: ToolSet | None = None) -> Changes:
        """Show what it offers now from here on. To be called between two messages.

        Args:
            tools: An agent's tools; those of this server are replaced, added and removed there.

        Raises:
            ToolDefinitionError: A new tool has the name of another one in the set.
        """
        before = {tool.name for tool in self._made.tools}
        changes = self._catalogue.apply()
        self._made = self._make(self._catalogue.shown or Listing())
        if tools is not None:
            for name in before - {tool.name for tool in self._made.tools}:
                if name in tools:
                    tools.remove(name)
            for tool in self._made.tools:
                if tool.name in before and tool.name in tools:
                    tools.replace(tool)
                else:
                    tools.add(tool)
        return changes

    async def call(self, name: str, arguments: JsonObject, *, key: str = "") -> CallResult:
        """Run one of its tools.

        Args:
            name: Its own name for the tool.
            arguments: As the tool's schema wants them; the server checks them.
            key: The same for the same call, also after a restart; handed on for servers that know
                `smallhold/idempotencyKey`.

        Raises:
            PeerTimeoutError: It took longer than `call_s`.
            UnknownOutcomeError: The connection ended in between, and the tool does not say that
                it may be called twice.
            PeerError: It could not be run, or gave no sound result.
        """
        work = partial(self._exchanges.call_tool, name, arguments, key=key)
        return await self._in_time(work, action=f"`{name}`")

    async def resources(self) -> tuple[Resource, ...]:
        """List what can be read, templates last. Raises `PeerError`."""
        return await self._in_time(self._exchanges.resources, action="for its resources")

    async def read_resource(self, uri: str) -> tuple[ResourceContent, ...]:
        """Read a resource. Raises `PeerError`.

        Args:
            uri: As a resource has it, or a template with its gaps filled.
        """
        work = partial(self._exchanges.read_resource, uri)
        return await self._in_time(work, action="to read a resource")

    async def prompts(self) -> tuple[OfferedPrompt, ...]:
        """List the prompts that it offers. Raises `PeerError`."""
        return await self._in_time(self._exchanges.prompts, action="for its prompts")

    async def get_prompt(
        self, name: str, arguments: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[Message, ...]:
        """Fill a prompt and hand out its messages. Raises `PeerError`.

        Args:
            name: Its own name for the prompt.
            arguments: What its gaps are filled with.
        """
        work = partial(self._exchanges.get_prompt, name, {**arguments})
        return await self._in_time(work, action=f"for the prompt `{name}`")

    async def _in_time(self, work: Callable[[], Awaitable[Value]], *, action: str) -> Value:
        limit_s = self._options.limits.call_s
        try:
            with anyio.fail_after(limit_s):
                return await in_background(work)
        except TimeoutError as error:
            raise PeerTimeoutError(peer=self.name, action=action, limit_s=limit_s) from error

    def _make(self, listing: Listing) -> Made:
        options = self._options
        plans = tool_blueprints(listing, call=self._tool_call)
        if options.prompts_as_tools:
            plans += prompt_blueprints(listing, call=self._prompt_call)
        if options.resources_as_tools and listing.has_resources:
            plans += resource_blueprints(list_all=self._list_all, read=self._read)
        return make_tools(plans, options=options)

    def _tool_call(self, tool: OfferedTool) -> Call:
        async def call(arguments: JsonObject, key: str) -> str:
            result = await self.call(tool.name, arguments, key=key)
            text = result_text(result)
            if result.is_error:
                reason = one_line(text, limit_chars=_REASON_LIMIT_CHARS)
                raise PeerRefusalError(peer=self.name, reason=reason or "it failed")
            return readable(text)

        return call

    def _prompt_call(self, prompt: OfferedPrompt) -> Call:
        async def call(arguments: JsonObject, key: str) -> str:
            del key
            filled = {name: str(value) for name, value in arguments.items()}
            messages = await self.get_prompt(prompt.name, filled)
            return readable("\n".join(message.content for message in messages))

        return call

    async def _list_all(self, arguments: JsonObject, key: str) -> str:
        del arguments, key
        return readable(resource_listing(await self.resources()))

    async def _read(self, arguments: JsonObject, key: str) -> str:
        del key
        contents = await self.read_resource(str(arguments["uri"]))
        return readable(content_text(contents))
