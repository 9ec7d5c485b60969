"""An agent to be served: this file holds one on a script, with the tools of a shop."""

from smallhold.agents import Agent, Config
from smallhold.generation import Prompt
from smallhold.messages import Role
from smallhold.testing import ScriptedRuntime
from smallhold.testing.script import Delay, Entry
from smallhold.tools import RunContext, tool


def answer(prompt: Prompt) -> Entry:
    said = [each.content for each in prompt.messages if each.role is Role.USER]
    text = said[-1].rpartition("Message: ")[2]
    if text == "wait":
        return Delay(seconds=60)
    if text == "who am I?":
        return "You are Bo." if any("I am Bo" in each for each in said) else "I do not know you."
    return f"You said {text!r}, and every word of it has been understood here."


@tool
def order_status(order_id: int) -> str:
    """Look up an order."""
    return f"order {order_id} is shipped"


@tool
def my_orders(context: RunContext[str]) -> str:
    """List the customer's orders."""
    return context.value


def make() -> Agent:
    config = Config(name="desk", specialized_for="questions about orders")
    return Agent(config, runtime=ScriptedRuntime(answer), tools=[order_status])


agent = make()
nothing = 5
