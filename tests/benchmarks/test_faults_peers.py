"""Promises of `benchmarks/faults`: this file holds tests of how a framework is put through cases.

The framework here is a dozen lines of its own, so that nothing has to be installed.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.faults.frameworks import FRAMEWORKS, SCRIPTS, Framework
from benchmarks.faults.playing_peers import PeerEndedError, PlayedFramework

from smallhold.evals.faults import FaultCase, Mark, cases_named, judge
from smallhold.evals.faults.judging import effect

pytestmark = pytest.mark.anyio

SCRIPT = f"""
import json, sys, urllib.request
sys.path.insert(0, {str(SCRIPTS)!r})
from channel import serve

async def run(task, told):
    messages = []
    for exchange in task.exchanges:
        messages.append({{"role": "user", "content": exchange.text}})
        while True:
            tools = [{{"function": {{"name": name}}}} for name in exchange.tools]
            body = json.dumps({{"messages": messages, "tools": tools}}).encode()
            reply = urllib.request.urlopen(task.base_url + "/chat/completions", body)
            message = json.load(reply)["choices"][0]["message"]
            messages.append(message)
            for call in message.get("tool_calls", []):
                function = exchange.tools[call["function"]["name"]]
                result = function(**json.loads(call["function"]["arguments"]))
                messages.append({{"role": "tool", "content": result}})
            if not message.get("tool_calls"):
                break
        told.answers.append(message["content"])
    print("frameworks may print what they like")

serve(run)
"""


@pytest.fixture
async def played(tmp_path: Path) -> AsyncGenerator[PlayedFramework]:
    script = tmp_path / "peer.py"
    script.write_text(SCRIPT, "utf-8")
    framework = PlayedFramework([sys.executable, str(script)])
    yield framework
    await framework.stop()


def case_named(name: str) -> FaultCase:
    case = cases_named([name])[0]
    return replace(case, limits=replace(case.limits, time_s=3.0))


async def test_answers_effects_and_calls_of_the_model_are_collected(
    played: PlayedFramework,
) -> None:
    evidence = await played.play(case_named("reply_in_another_language"))
    assert evidence.answers == ("\u5df4\u9ece\u672a\u6765\u4e09\u5929\u662f18\u5ea6\u3002",)
    assert evidence.effects == (effect("get_weather", city="Paris", days=3),)
    assert evidence.model_calls == 2


async def test_an_exception_is_told_with_its_type_and_the_next_case_goes_on(
    played: PlayedFramework,
) -> None:
    case = case_named("near_miss_name")
    evidence = await played.play(case)
    assert evidence.error is not None
    assert evidence.error.startswith("builtins.KeyError")
    assert set(judge(case, evidence).problems) == {Mark.ENDS_RIGHT, Mark.NO_CRASH}
    assert (await played.play(case_named("invented_identifier"))).answers


async def test_a_loop_ends_when_the_model_refuses_and_is_no_crash(played: PlayedFramework) -> None:
    case = case_named("same_call_for_ever")
    case = replace(case, limits=replace(case.limits, model_calls=13))
    evidence = await played.play(case)
    assert evidence.was_refused
    assert set(judge(case, evidence).problems) == {Mark.ENDS_RIGHT, Mark.NO_LOOP}


async def test_a_process_that_hangs_is_ended_and_started_again(played: PlayedFramework) -> None:
    case = case_named("tool_hangs")
    hung = await played.play(replace(case, limits=replace(case.limits, time_s=0.5)))
    assert not hung.has_ended
    assert (await played.play(case_named("invented_identifier"))).has_ended


async def test_a_script_that_ends_at_once_is_an_error_of_the_comparison(tmp_path: Path) -> None:
    (tmp_path / "empty.py").touch()
    with pytest.raises(PeerEndedError):
        await PlayedFramework([sys.executable, str(tmp_path / "empty.py")]).play(
            case_named("invented_identifier")
        )


def test_every_framework_is_pinned_and_has_its_script() -> None:
    assert len(FRAMEWORKS) == 5
    for framework in FRAMEWORKS:
        assert (SCRIPTS / framework.script).is_file()
        assert all("==" in requirement for requirement in framework.requirements)


def test_an_environment_counts_only_once_it_is_whole_and_of_these_versions(tmp_path: Path) -> None:
    framework = Framework(name="some", version="1", requirements=("some==1",), script="some.py")
    assert not framework.is_installed(tmp_path)
    framework.folder(tmp_path).mkdir(parents=True)
    mark = framework.folder(tmp_path) / "requirements.txt"
    mark.write_text("some==0\n", "utf-8")
    assert not framework.is_installed(tmp_path)
    mark.write_text("some==1\n", "utf-8")
    assert framework.is_installed(tmp_path)
