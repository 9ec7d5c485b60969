"""A support agent at work, measured: this file holds the command `demo`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table
from rich.text import Text

from customer_service import SHOP_NAME, TASKS, Task
from smallhold.agents import Agent
from smallhold.cli.agent_setup import load_model, model_name
from smallhold.cli.demo_report import DemoReport, TaskReport, token_count
from smallhold.cli.demo_session import hold_conversations
from smallhold.cli.peak_memory import PeakMemory
from smallhold.cli.terminal import foreign, write_json
from smallhold.cli.transcript import Transcript
from smallhold.runtimes.protocol import WorkerRuntime


@contextmanager
def shop_folder(keep: Path | None) -> Generator[Path]:
    """Hand out the folder for the shop's database: `keep`, or one that is gone afterwards."""
    if keep is not None:
        yield keep
        return
    with TemporaryDirectory(prefix="smallhold-demo-") as folder:
        yield Path(folder)


async def hold_demo(agent: Agent, *, database: Path, console: Console, as_json: bool) -> DemoReport:
    """Hold all conversations, show them and their figures, and free the model.

    Args:
        agent: The shop's agent.
        database: Its shop.
        console: For people.
        as_json: Write each task's report, then the figures, to stdout as JSON lines.

    Raises:
        SmallholdError: an error that is not of one conversation alone.
    """
    model = model_name(agent.config)
    stage = _Stage(agent=agent, console=console, as_json=as_json)
    try:
        await stage.open(model)
        reports = await hold_conversations(
            agent,
            database=database,
            transcript=Transcript(answer=console, notes=console),
            on_start=stage.start,
            on_end=stage.end,
        )
    finally:
        await agent.aclose()
    report = DemoReport(tasks=reports, peak_rss_bytes=stage.memory.total_bytes, model=model)
    console.print(figures_table(report))
    if as_json:
        write_json(report.to_dict())
    return report


@dataclass(slots=True, kw_only=True)
class _Stage:
    """Shows what happens between the events of the conversations."""

    agent: Agent
    console: Console
    as_json: bool
    memory: PeakMemory = field(default_factory=PeakMemory)
    begun: int = 0

    async def open(self, model: str) -> None:
        with self.console.status("Loading the model"):
            described, load_s = await load_model(self.agent.runtime)
        self.console.print(
            Text.assemble((SHOP_NAME, "bold"), "  support agent on ", (model, "bold"))
        )
        if described is not None:
            text = f"{described.description}, loaded in {load_s:.1f} s, {described.version}"
            self.console.print(foreign(text, style="dim"))

    def start(self, task: Task) -> None:
        self.begun += 1
        self.console.print()
        header = f"[{self.begun}/{len(TASKS)}] {task.id}"
        self.console.print(Text(header, style="bold"))
        self.console.print(Text.assemble(("customer  ", "bold blue"), foreign(task.message)))

    def end(self, report: TaskReport) -> None:
        runtime = self.agent.runtime
        worker = runtime.worker_pid if isinstance(runtime, WorkerRuntime) else None
        self.memory.look([worker])
        self.console.print(verdict_line(report), soft_wrap=True)
        if self.as_json:
            write_json(report.to_dict())


def verdict_line(report: TaskReport) -> Text:
    """Write the judge's verdict and the conversation's cost."""
    mark = ("✓ ", "bold green") if report.completed else ("✗ ", "bold red")
    first = "" if report.first_token_s is None else f"first token {report.first_token_s:.2f} s, "
    cost = f"  {first}{report.total_s:.2f} s, {report.usage.passes} passes"
    return Text.assemble(mark, foreign(report.reason), (cost, "dim"))


def figures_table(report: DemoReport) -> Table:
    """Lay the demo's figures out for people."""
    usage = report.usage
    table = Table(show_header=False, title="The demo in figures")
    table.add_row("tasks completed", f"{report.completed} of {len(report.tasks)}")
    table.add_row("valid calls", f"{report.valid_calls} of {len(report.calls)}")
    first_token_s = report.tasks[0].first_token_s if report.tasks else None
    if first_token_s is not None:
        table.add_row("first token of the first answer", f"{first_token_s:.2f} s")
    table.add_row("time", f"{report.total_s:.1f} s")
    table.add_row(
        "tokens",
        f"{token_count(usage):,} ({usage.prompt_tokens:,} read, of these "
        f"{usage.cached_tokens:,} from the cache; {usage.completion_tokens:,} written)",
    )
    table.add_row("forward passes", f"{usage.passes:,}")
    table.add_row("peak memory", f"{report.peak_rss_bytes / 1e6:,.0f} MB")
    return table
