"""The context window as a budget: what fits is chosen, and what is left out is said."""

from smallhold.agents.context.budget import ContextBudget, Size
from smallhold.agents.context.counting import PromptForm
from smallhold.agents.context.fitted import DropKind, Dropped, Fitted, PartTokens, Summary
from smallhold.agents.context.fitting import ContextFitter, PromptOf

__all__ = [
    "ContextBudget",
    "ContextFitter",
    "DropKind",
    "Dropped",
    "Fitted",
    "PartTokens",
    "PromptForm",
    "PromptOf",
    "Size",
    "Summary",
]
