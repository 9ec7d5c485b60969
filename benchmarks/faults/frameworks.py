"""The frameworks that are compared: this file holds their pinned versions and environments."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A framework with an environment of its own."""

    name: str
    version: str
    requirements: tuple[str, ...]
    """Pinned: another version may do better or worse."""
    script: str

    def folder(self, cache: Path) -> Path:
        """Where its environment lies."""
        return cache / "fault-peers" / f"{self.name}-{self.version}"

    def python(self, cache: Path) -> Path:
        """Its environment's own interpreter."""
        return self.folder(cache) / "bin" / "python"

    def command(self, cache: Path) -> list[str]:
        """How its script is started."""
        return [str(self.python(cache)), str(SCRIPTS / self.script)]

    def is_installed(self, cache: Path) -> bool:
        """Whether its environment was finished with these very requirements."""
        mark = self.folder(cache) / "requirements.txt"
        return mark.is_file() and mark.read_text("utf-8") == self._listed()

    def install(self, cache: Path) -> None:
        """Make its environment. Raises `subprocess.CalledProcessError`."""
        folder = self.folder(cache)
        venv.create(folder, with_pip=True, clear=True)
        command = [str(self.python(cache)), "-m", "pip", "install", "--quiet", *self.requirements]
        subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 - the list below
        # Last, so that an environment that was left half made is made again.
        (folder / "requirements.txt").write_text(self._listed(), "utf-8")

    def _listed(self) -> str:
        return "".join(f"{line}\n" for line in self.requirements)


FRAMEWORKS: Final = (
    Framework(
        name="agent-framework-core",
        version="1.23.0",
        requirements=("agent-framework-core==1.23.0", "agent-framework-openai==1.17.0"),
        script="agent_framework_peer.py",
    ),
    Framework(
        name="pydantic-ai-slim",
        version="2.68.0",
        requirements=("pydantic-ai-slim[openai]==2.68.0",),
        script="pydantic_ai_peer.py",
    ),
    Framework(
        name="openai-agents",
        version="0.24.0",
        requirements=("openai-agents==0.24.0",),
        script="openai_agents_peer.py",
    ),
    Framework(
        name="smolagents",
        version="1.26.0",
        requirements=("smolagents[openai]==1.26.0",),
        script="smolagents_peer.py",
    ),
    Framework(
        name="langgraph",
        version="1.2.22",
        requirements=("langgraph==1.2.22", "langchain==1.4.7", "langchain-openai==1.7.3"),
        script="langgraph_peer.py",
    ),
)
