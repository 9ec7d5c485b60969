"""An agent as an MCP server: this file holds the one adapter of the SDK's server."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final, cast

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError

from smallhold.exceptions import SmallholdError
from smallhold.messages import JsonObject, ToolCall, ToolSchema
from smallhold.tools.execution import run_tool
from smallhold.tools.mcp.exchanges import IDEMPOTENCY_KEY
from smallhold.tools.mcp.exposure import Exposure, exposure_of, session_name
from smallhold.tools.mcp.value_checks import misfits
from smallhold.tools.serving.answerer import Answerer
from smallhold.tools.serving.gate import Application

HTTP_PATH: Final = "/mcp"
_MOST_SESSIONS: Final = 256
_FAILED: Final = "The agent failed; its log says why."
_KEY_LIMIT_CHARS: Final = 200

_log = logging.getLogger(__name__)


def mcp_server(
    answerer: Answerer,
    *,
    name: str,
    only_ask: bool = False,
    make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> Server[Any]:
    """Make a server of the SDK that serves an agent.

    Args:
        answerer: The agent.
        name: What the server says that it is called.
        only_ask: Serve the tool `ask` and none of the agent's own.
        make_id: Gives each call an id, where the client gives none.
    """
    handlers = _Handlers(answerer, name=name, only_ask=only_ask, make_id=make_id)
    return Server(
        name,
        version=version("smallhold"),
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
    )


async def serve_stdio(answerer: Answerer, *, name: str, only_ask: bool = False) -> None:
    """Serve over this process's stdin and stdout until stdin ends."""
    server = mcp_server(answerer, name=name, only_ask=only_ask)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def http_application(answerer: Answerer, *, name: str, only_ask: bool = False) -> Application:
    """Make the ASGI application that serves at `HTTP_PATH`; to be put behind a `Gate`."""
    server = mcp_server(answerer, name=name, only_ask=only_ask)
    application = server.streamable_http_app(
        streamable_http_path=HTTP_PATH,
        max_sessions=_MOST_SESSIONS,
        # `Gate` checks names, sites and tokens, for this protocol as for others.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return cast("Application", application)


class _Handlers:
    def __init__(
        self, answerer: Answerer, *, name: str, only_ask: bool, make_id: Callable[[], str]
    ) -> None:
        self._answerer = answerer
        self._name = name
        self._only_ask = only_ask
        self._make_id = make_id

    async def list_tools(
        self, context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        del context, params
        exposure = self._exposure()
        tools = [_described(exposure.ask), *(_described(tool.schema) for tool in exposure.tools)]
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        del context
        exposure = self._exposure()
        arguments = cast("JsonObject", params.arguments or {})
        if params.name == exposure.ask.name:
            return await self._ask(arguments, exposure.ask)
        tool = exposure.tool(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name[:80]!r}")
        key = (params.meta or {}).get(IDEMPOTENCY_KEY)
        is_usable = isinstance(key, str) and 0 < len(key) <= _KEY_LIMIT_CHARS
        call = ToolCall(
            id=str(key) if is_usable else self._make_id(), name=tool.name, arguments=arguments
        )
        outcome = await run_tool(tool, call)
        return _result(outcome.content, is_error=outcome.is_error)

    async def _ask(self, arguments: JsonObject, schema: ToolSchema) -> types.CallToolResult:
        found = next(misfits(arguments, schema.parameters), None)
        if found is not None:
            return _result(f"argument `{found.place}`: {found.problem}", is_error=True)
        session = arguments.get("session")
        try:
            text = await self._answerer.chat_async(
                str(arguments["text"]),
                session=session_name(session if isinstance(session, str) else None),
            )
        except SmallholdError as error:
            return _result(str(error), is_error=True)
        except Exception as error:  # noqa: BLE001 - what a foreign program may not read
            _log.warning("mcp.ask_failed", extra={"error": type(error).__name__})
            return _result(_FAILED, is_error=True)
        return _result(text, is_error=False)

    def _exposure(self) -> Exposure:
        return exposure_of(self._answerer.tools, agent=self._name, only_ask=self._only_ask)


def _described(schema: ToolSchema) -> types.Tool:
    return types.Tool(
        name=schema.name, description=schema.description, input_schema=dict(schema.parameters)
    )


def _result(text: str, *, is_error: bool) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], is_error=is_error
    )
