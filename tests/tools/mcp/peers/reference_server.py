"""A server written with the SDK alone, in a process of its own: this file holds its few offers.

Run as `reference_server.py stdio`, or `reference_server.py http PORT`.
"""

import os
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel

server = MCPServer("shop", instructions="A small shop.")


class Order(BaseModel):
    number: int
    status: str


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def order_status(order_id: str) -> Order:
    """Look up an order."""
    return Order(number=int(order_id), status="shipped")


@server.tool(annotations=ToolAnnotations(destructive_hint=True))
def cancel_order(order_id: str) -> str:
    """Cancel an order."""
    note(f"cancelled {order_id}")
    return f"order {order_id} is cancelled"


@server.tool()
def add(first: int, second: int = 1) -> int:
    """Add two numbers."""
    return first + second


@server.tool()
def fail(reason: str) -> str:
    """Fail always."""
    raise ValueError(reason)


@server.tool()
def environment(name: str) -> str:
    """Tell a variable."""
    return os.environ.get(name, "unset")


@server.tool()
async def grow(ctx: Context) -> str:
    """Offer one more tool from now on."""
    server.add_tool(lambda: "new", name="grown", description="A new tool.")
    await ctx.notify_tools_changed()
    return "done"


@server.resource("shop://hours")
def hours() -> str:
    """When the shop is open."""
    return "9 to 17"


@server.resource("shop://orders/{number}")
def order(number: str) -> str:
    """One order."""
    return f"order {number}"


@server.prompt()
def greeting(name: str) -> str:
    """Greet somebody."""
    return f"Greet {name} kindly."


def note(text: str) -> None:
    """Write a line to the file that the test reads."""
    path = os.environ.get("NOTES")
    if path is not None:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", port=int(sys.argv[2]))
