"""Agent2Agent: agents of other programs for ours, and an agent of ours for others."""

from smallhold.tools.a2a.description import AgentDescription, Skill, describe_agent
from smallhold.tools.a2a.remote_agent import RemoteAgent
from smallhold.tools.a2a.settings import A2ALimits

__all__ = ["A2ALimits", "AgentDescription", "RemoteAgent", "Skill", "describe_agent"]
