"""The official SDK behind our own protocol: this file holds the one adapter of its client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

import anyio
import mcp_types as types
from mcp.client import Client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ConfigDict, ValidationError

from smallhold.exceptions import PeerFaultError, PeerRefusalError, PeerUnavailableError
from smallhold.messages import JsonObject
from smallhold.tools.mcp.addresses import ProcessAddress, ServerAddress
from smallhold.tools.mcp.foreign_text import one_line
from smallhold.tools.mcp.http_transport import TROUBLE, TroubleMarks, web_transport
from smallhold.tools.mcp.session import Answer, Lost, Method
from smallhold.tools.mcp.settings import MCPLimits
from smallhold.tools.mcp.stdio_transport import process_transport
from smallhold.tools.mcp.wire import Wire

_REASON_LIMIT_CHARS: Final = 300
_RELISTEN_S: Final = 30.0
_SESSION_GONE: Final = "Session terminated"
"""What the SDK says when a server has forgotten the session; the request was then not looked at."""
_INPUT_REQUIRED: Final = "input_required"

_Request: TypeAlias = Callable[[JsonObject], types.Request[Any, Any]]
_REQUESTS: Final[Mapping[Method, _Request]] = MappingProxyType({
    Method.CALL_TOOL: lambda params: types.CallToolRequest(
        params=types.CallToolRequestParams.model_validate(params)
    ),
    Method.LIST_RESOURCES: lambda params: types.ListResourcesRequest(params=_page(params)),
    Method.LIST_TEMPLATES: lambda params: types.ListResourceTemplatesRequest(params=_page(params)),
    Method.READ_RESOURCE: lambda params: types.ReadResourceRequest(
        params=types.ReadResourceRequestParams.model_validate(params)
    ),
    Method.LIST_PROMPTS: lambda params: types.ListPromptsRequest(params=_page(params)),
    Method.GET_PROMPT: lambda params: types.GetPromptRequest(
        params=types.GetPromptRequestParams.model_validate(params)
    ),
})


class _AnyResult(BaseModel):
    """A result as it came; the SDK has held it to the protocol's schema already."""

    model_config = ConfigDict(extra="allow")


@asynccontextmanager
async def open_session(
    address: ServerAddress, *, server: str, limits: MCPLimits, on_changed: Callable[[], None]
) -> AsyncGenerator[SDKSession]:
    """Connect to a server and agree on a version of the protocol.

    Args:
        address: Where it is.
        server: Its name, for errors.
        limits: What it may send.
        on_changed: Called when it says that its tools or prompts have changed.

    Raises:
        PeerUnavailableError: It cannot be started or reached, or it is no MCP server.
    """
    wire, marks = Wire(), TroubleMarks()
    most = limits.message_bytes
    if isinstance(address, ProcessAddress):
        transport = process_transport(address, server=server, wire=wire, message_bytes=most)
    else:
        transport = web_transport(address, wire=wire, message_bytes=most, marks=marks)

    async def hear(message: object) -> None:
        if isinstance(
            message, types.ToolListChangedNotification | types.PromptListChangedNotification
        ):
            on_changed()

    client = Client(
        transport,
        cache=None,
        message_handler=hear,
        client_info=types.Implementation(name="smallhold", version=version("smallhold")),
    )
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(client)
        except Exception as error:
            raise _unavailable(error, server=server, wire=wire) from error
        tasks = await stack.enter_async_context(anyio.create_task_group())
        if _can_listen(client):
            tasks.start_soon(_listen, client, wire, on_changed)
        try:
            yield SDKSession(client, server=server, wire=wire, marks=marks)
        finally:
            wire.end("the connection was closed")
            tasks.cancel_scope.cancel()


class SDKSession:
    """An open connection of the SDK; conforms to `Session`."""

    def __init__(self, client: Client, *, server: str, wire: Wire, marks: TroubleMarks) -> None:
        """Wrap a client that is connected.

        Args:
            client: The SDK's client.
            server: The server's name, for errors.
            wire: What is known of the connection.
            marks: What tells made-up answers.
        """
        self._client = client
        self._server = server
        self._wire = wire
        self._marks = marks

    @property
    def closed(self) -> anyio.Event:
        """Set when the connection has ended."""
        return self._wire.closed

    @property
    def instructions(self) -> str:
        """What the server says about itself: foreign text."""
        return self._client.instructions or ""

    @property
    def methods(self) -> frozenset[Method]:
        """What the server says that it can be asked."""
        capabilities = self._client.server_capabilities
        can: set[Method] = set()
        if capabilities.tools is not None:
            can |= {Method.LIST_TOOLS, Method.CALL_TOOL}
        if capabilities.resources is not None:
            can |= {Method.LIST_RESOURCES, Method.LIST_TEMPLATES, Method.READ_RESOURCE}
        if capabilities.prompts is not None:
            can |= {Method.LIST_PROMPTS, Method.GET_PROMPT}
        return frozenset(can)

    async def ask(self, method: Method, params: JsonObject) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            PeerRefusalError: The server answered with an error.
            PeerFaultError: Its answer breaks the protocol, or a limit.
        """
        if self._wire.closed.is_set():
            return Lost(problem=self._wire.problem or "the connection had ended", was_sent=False)
        try:
            answer = await self._answer(method, params)
        except MCPError as error:
            return self._lost(error)
        except ValidationError as error:
            problem = f"its answer to {method.value} does not fit the protocol"
            raise PeerFaultError(peer=self._server, problem=problem) from error
        if answer.get("resultType") == _INPUT_REQUIRED:
            reason = "it wants to ask back in the middle of the call, which is not offered"
            raise PeerRefusalError(peer=self._server, reason=reason)
        return answer

    async def _answer(self, method: Method, params: JsonObject) -> JsonObject:
        if method is Method.LIST_TOOLS:
            # Through the SDK's own method, which remembers what a later call needs of the schemas.
            listed = await self._client.session.list_tools(params=_page(params))
            return cast(
                "JsonObject", listed.model_dump(mode="json", by_alias=True, exclude_none=True)
            )
        try:
            return await self._send(method, params)
        except MCPError as error:
            if error.code != types.HEADER_MISMATCH:
                raise
        # The server has not looked at the call: the client's knowledge of the tool was out of date.
        await self._client.session.list_tools()
        return await self._send(method, params)

    async def _send(self, method: Method, params: JsonObject) -> JsonObject:
        # Not `call_tool`: it validates results against the server's own schema, whose patterns
        # could keep this thread busy for ever.
        answer = await self._client.session.send_request(_REQUESTS[method](params), _AnyResult)
        return answer.model_extra or {}

    def _lost(self, error: MCPError) -> Lost:
        """Tell an answer that never came from one that is an error."""
        reason = one_line(error.message, limit_chars=_REASON_LIMIT_CHARS)
        if error.code == TROUBLE and error.data == self._marks.not_sent:
            return Lost(problem=reason, was_sent=False)
        if error.code == TROUBLE and error.data == self._marks.lost:
            return Lost(problem=reason, was_sent=True)
        if error.code == types.INVALID_REQUEST and error.message == _SESSION_GONE:
            return Lost(problem="it has forgotten the session", was_sent=False)
        if error.code == types.CONNECTION_CLOSED:
            if self._wire.is_fault:
                problem = f"{self._wire.problem}; the call may have been done"
                raise PeerFaultError(peer=self._server, problem=problem) from error
            return Lost(problem=self._wire.problem or reason, was_sent=True)
        if error.code == types.PARSE_ERROR:
            raise PeerFaultError(peer=self._server, problem=reason) from error
        raise PeerRefusalError(peer=self._server, reason=reason) from error


def _page(params: JsonObject) -> types.PaginatedRequestParams:
    return types.PaginatedRequestParams.model_validate(params)


def _can_listen(client: Client) -> bool:
    """Whether changes are told on a stream of their own, as from protocol version 2026-07-28."""
    capabilities = client.server_capabilities
    says_changes = any(
        capability is not None and capability.list_changed
        for capability in (capabilities.tools, capabilities.prompts)
    )
    return says_changes and client.protocol_version in MODERN_PROTOCOL_VERSIONS


async def _listen(client: Client, wire: Wire, on_changed: Callable[[], None]) -> None:
    while not wire.closed.is_set():
        try:
            async with client.listen(tools_list_changed=True, prompts_list_changed=True) as events:
                async for _ in events:
                    on_changed()
        except ListenNotSupportedError:
            return
        except (MCPError, SubscriptionLost, TimeoutError):
            pass
        await anyio.sleep(_RELISTEN_S)
        # Nothing is told again of what changed meanwhile.
        on_changed()


def _unavailable(error: Exception, *, server: str, wire: Wire) -> PeerUnavailableError:
    found = _innermost(error)
    if isinstance(found, PeerUnavailableError):
        return found
    if wire.problem is not None:
        problem = wire.problem
    elif isinstance(found, MCPError):
        problem = one_line(found.message, limit_chars=_REASON_LIMIT_CHARS)
    elif isinstance(found, ValidationError):
        problem = "its answer to the handshake does not fit the protocol"
    else:
        text = one_line(str(found), limit_chars=_REASON_LIMIT_CHARS)
        problem = f"{type(found).__name__}: {text}"
    tail = wire.stderr_tail.decode("utf-8", "replace")
    return PeerUnavailableError(peer=server, problem=problem, stderr_tail=tail)


def _innermost(error: BaseException) -> BaseException:
    """Look into the groups that task groups make of one error."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return _innermost(group.exceptions[0])
    return error
