"""Guardrails: what may go into a turn, what its tools may do, and what may come out."""

from smallhold.agents.guardrails.answer_language import AnswerLanguage
from smallhold.agents.guardrails.answer_schema import AnswerSchema
from smallhold.agents.guardrails.banned_content import BannedContent
from smallhold.agents.guardrails.checks import (
    InputCheck,
    OutputCheck,
    ResultCheck,
    RunStep,
    ToolCheck,
)
from smallhold.agents.guardrails.empty_answer import EmptyAnswer
from smallhold.agents.guardrails.functions import on_call, on_input, on_output, on_result
from smallhold.agents.guardrails.injection import InjectionPhrases
from smallhold.agents.guardrails.leaks import SecretLeaks
from smallhold.agents.guardrails.length import MessageLength
from smallhold.agents.guardrails.model_topics import ModelTopics
from smallhold.agents.guardrails.phrases import Family
from smallhold.agents.guardrails.policy import ArgumentRule, ToolPolicy, at_most, between, one_of
from smallhold.agents.guardrails.protocols import (
    InputGuardrail,
    OutputGuardrail,
    ResultGuardrail,
    StageGuardrail,
    ToolGuardrail,
)
from smallhold.agents.guardrails.running import (
    check_guardrails,
    holds_answers_back,
    run_input,
    run_output,
    run_tool_policy,
    run_tool_result,
)
from smallhold.agents.guardrails.stated_values import ValueKind
from smallhold.agents.guardrails.supervision import GUARDRAIL_TIMEOUT_S, Guardrail, Supervised
from smallhold.agents.guardrails.tool_results import InjectedResults
from smallhold.agents.guardrails.topics import TopicClassifier, Topics
from smallhold.agents.guardrails.unfounded_actions import UnfoundedActions
from smallhold.agents.guardrails.ungrounded_values import UngroundedValues
from smallhold.agents.guardrails.verdict import Flag, Outcome, Review, Stage, Verdict

__all__ = [
    "GUARDRAIL_TIMEOUT_S",
    "AnswerLanguage",
    "AnswerSchema",
    "ArgumentRule",
    "BannedContent",
    "EmptyAnswer",
    "Family",
    "Flag",
    "Guardrail",
    "InjectedResults",
    "InjectionPhrases",
    "InputCheck",
    "InputGuardrail",
    "MessageLength",
    "ModelTopics",
    "Outcome",
    "OutputCheck",
    "OutputGuardrail",
    "ResultCheck",
    "ResultGuardrail",
    "Review",
    "RunStep",
    "SecretLeaks",
    "Stage",
    "StageGuardrail",
    "Supervised",
    "ToolCheck",
    "ToolGuardrail",
    "ToolPolicy",
    "TopicClassifier",
    "Topics",
    "UnfoundedActions",
    "UngroundedValues",
    "ValueKind",
    "Verdict",
    "at_most",
    "between",
    "check_guardrails",
    "holds_answers_back",
    "on_call",
    "on_input",
    "on_output",
    "on_result",
    "one_of",
    "run_input",
    "run_output",
    "run_tool_policy",
    "run_tool_result",
]
