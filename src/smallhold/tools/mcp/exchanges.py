"""What can be asked of one server: this file holds its requests, in the background's loop."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol, TypeVar

import anyio
from anyio import to_thread

from smallhold.exceptions import (
    ConfigError,
    PeerError,
    PeerFaultError,
    PeerRefusalError,
    PeerUnavailableError,
)
from smallhold.messages import JsonObject, JsonValue, Message
from smallhold.tools.mcp.addresses import ServerAddress
from smallhold.tools.mcp.catalogue import Catalogue
from smallhold.tools.mcp.link import Link
from smallhold.tools.mcp.offers import Listing, OfferedPrompt
from smallhold.tools.mcp.reading import (
    CallResult,
    Resource,
    ResourceContent,
    objects,
    read_content,
    read_message,
    read_prompt,
    read_resource,
    read_result,
    read_tool,
)
from smallhold.tools.mcp.session import Lost, Method, Session
from smallhold.tools.mcp.settings import MCPLimits
from smallhold.tools.mcp.tool_schemas import result_schema
from smallhold.tools.mcp.value_checks import misfits

IDEMPOTENCY_KEY: Final = "smallhold/idempotencyKey"
"""Where a call carries a key that is the same when it is made again after a restart. Source: MCP
specification 2025-11-25, `_meta`, key names."""
_MOST_PAGES: Final = 100
_SETTLE_S: Final = 0.5
"""Changes come in bursts, one for each tool."""

Item = TypeVar("Item")

_log = logging.getLogger(__name__)


class _OpenSession(Protocol):
    def __call__(
        self,
        address: ServerAddress,
        *,
        server: str,
        limits: MCPLimits,
        on_changed: Callable[[], None],
    ) -> AbstractAsyncContextManager[Session]: ...


class Bell:
    """Wakes one task, however often it is rung."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        """Wake the task, or let it not fall asleep."""
        self._event.set()

    async def wait(self) -> None:
        """Wait for a ring since the last wait."""
        await self._event.wait()
        self._event = anyio.Event()


class Exchanges:
    """Asks one server. To be used in the background's loop only."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        server: str,
        limits: MCPLimits,
        catalogue: Catalogue,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            address: Where the server is.
            server: Its name, for errors.
            limits: What it may cost.
            catalogue: Told of what it offers.
        """
        self._address = address
        self._server = server
        self._limits = limits
        self._catalogue = catalogue
        self._made_link: Link | None = None
        self._open_session: _OpenSession | None = None
        self.instructions = ""
        """What the server said about itself when it was last connected to: foreign text."""

    async def connect(self) -> None:
        """Open the connection, if it is not. Raises `PeerError`."""
        await (await self._link()).session()

    async def aclose(self) -> None:
        """Close the connection; a later request opens another."""
        if self._made_link is not None:
            await self._made_link.aclose()

    async def call_tool(self, name: str, arguments: JsonObject, *, key: str) -> CallResult:
        """Run a tool, at most once unless it says that twice is as good.

        Args:
            name: The server's name for it.
            arguments: As its schema wants them.
            key: The same for the same call, `""` for none.

        Raises:
            PeerError: It could not be run, or its result is none.
        """
        shown = self._catalogue.shown
        tool = None if shown is None else shown.tool(name)
        params: JsonObject = {"name": name, "arguments": arguments}
        if key:
            params["_meta"] = {IDEMPOTENCY_KEY: key}
        answer = await (await self._link()).ask(
            Method.CALL_TOOL,
            params,
            action=f"`{name}`",
            may_repeat=tool is not None and tool.hints.may_repeat,
            check=lambda: self._catalogue.check(name),
        )
        result = read_result(answer)
        if not result.is_error and tool is not None and tool.output_schema is not None:
            self._check_result(name, result.structured, tool.output_schema)
        return result

    async def resources(self) -> tuple[Resource, ...]:
        """List what can be read, templates last."""
        session = await (await self._link()).session()
        if Method.READ_RESOURCE not in session.methods:
            return ()
        plain = await self._pages(Method.LIST_RESOURCES, "resources", read_resource)
        try:
            templates = await self._pages(Method.LIST_TEMPLATES, "resourceTemplates", read_resource)
        except PeerRefusalError:  # many servers have no templates and do not know the method
            templates = ()
        return (*plain, *templates)

    async def read_resource(self, uri: str) -> tuple[ResourceContent, ...]:
        """Read a resource; reading may be repeated."""
        answer = await self._read(Method.READ_RESOURCE, {"uri": uri}, action="to read a resource")
        return tuple(read_content(part) for part in objects(answer.get("contents")))

    async def prompts(self) -> tuple[OfferedPrompt, ...]:
        """List the prompts."""
        session = await (await self._link()).session()
        if Method.LIST_PROMPTS not in session.methods:
            return ()
        return await self._pages(Method.LIST_PROMPTS, "prompts", read_prompt)

    async def get_prompt(self, name: str, arguments: JsonObject) -> tuple[Message, ...]:
        """Fill a prompt."""
        params: JsonObject = {"name": name, "arguments": arguments}
        answer = await self._read(Method.GET_PROMPT, params, action=f"for the prompt `{name}`")
        return tuple(read_message(part) for part in objects(answer.get("messages")))

    async def _link(self) -> Link:
        """Hand out the link, the SDK loaded: that takes a while and is not the server's fault."""
        if self._open_session is None:
            self._open_session = await to_thread.run_sync(_load_sdk)
        if self._made_link is None:
            self._made_link = Link(
                self._opened, server=self._server, connect_s=self._limits.connect_s
            )
        return self._made_link

    async def _read(self, method: Method, params: JsonObject, *, action: str) -> JsonObject:
        return await (await self._link()).ask(method, params, action=action, may_repeat=True)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Session]:
        """Connect, learn what the server offers, and hear of changes as long as it lasts."""
        open_session = self._open_session or _load_sdk()
        bell = Bell()
        async with open_session(
            self._address, server=self._server, limits=self._limits, on_changed=bell.ring
        ) as session:
            self.instructions = session.instructions
            await self._learn(session)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, session, bell)
                try:
                    yield session
                finally:
                    tasks.cancel_scope.cancel()

    async def _watch(self, session: Session, bell: Bell) -> None:
        while True:
            await bell.wait()
            await anyio.sleep(_SETTLE_S)
            try:
                with anyio.fail_after(self._limits.connect_s):
                    await self._learn(session)
            except (PeerError, TimeoutError) as error:
                _log.warning(
                    "mcp.relisting_failed",
                    extra={"server": self._server, "error": type(error).__name__},
                )

    async def _learn(self, session: Session) -> None:
        """Ask the server for all that may stand in a prompt."""

        async def ask(method: Method, params: JsonObject) -> JsonObject:
            answer = await session.ask(method, params)
            if isinstance(answer, Lost):
                raise PeerUnavailableError(peer=self._server, problem=answer.problem)
            return answer

        tools, prompts = (), ()
        if Method.LIST_TOOLS in session.methods:
            listed = [each async for each in self._items(Method.LIST_TOOLS, "tools", ask)]
            tools = tuple(map(read_tool, listed))
        if Method.LIST_PROMPTS in session.methods:
            listed = [each async for each in self._items(Method.LIST_PROMPTS, "prompts", ask)]
            prompts = tuple(map(read_prompt, listed))
        has_resources = Method.READ_RESOURCE in session.methods
        self._catalogue.notice(Listing(tools=tools, prompts=prompts, has_resources=has_resources))

    async def _pages(
        self, method: Method, key: str, read: Callable[[JsonObject], Item]
    ) -> tuple[Item, ...]:
        async def ask(method: Method, params: JsonObject) -> JsonObject:
            return await self._read(method, params, action=f"for its {key}")

        return tuple([read(each) async for each in self._items(method, key, ask)])

    async def _items(self, method: Method, key: str, ask: _Ask) -> AsyncGenerator[JsonObject]:
        """Go through a listing page by page, as far as a server may reasonably go on."""
        params: JsonObject = {}
        count = 0
        for _ in range(_MOST_PAGES):
            page = await ask(method, params)
            for item in objects(page.get(key)):
                count += 1
                if count > self._limits.offers:
                    raise self._endless(key)
                yield item
            cursor = page.get("nextCursor")
            if not isinstance(cursor, str) or not cursor:
                return
            params = {"cursor": cursor}
        raise self._endless(key)

    def _endless(self, key: str) -> PeerFaultError:
        most = f"{self._limits.offers} {key} or {_MOST_PAGES} pages"
        return PeerFaultError(peer=self._server, problem=f"it lists more than {most}")

    def _check_result(self, name: str, structured: JsonValue, schema: JsonObject) -> None:
        wanted = result_schema(schema)
        if wanted is None:
            return
        found = next(misfits(structured, wanted), None)
        if found is not None:
            place = f"`{found.place}` " if found.place else ""
            problem = (
                f"the result of `{name}` is not of the shape that it promises "
                f"({place}{found.problem}); the call was done"
            )
            raise PeerFaultError(peer=self._server, problem=problem)


class _Ask(Protocol):
    async def __call__(self, method: Method, params: JsonObject) -> JsonObject: ...


def _load_sdk() -> _OpenSession:
    """Import the SDK: about two seconds, in a thread of its own.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        from smallhold.tools.mcp.connection import open_session  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise ConfigError(
            field="MCPServer",
            value=error.name,
            remedy="the module is missing; run `pip install 'smallhold[mcp]'`",
        ) from error
    return open_session
