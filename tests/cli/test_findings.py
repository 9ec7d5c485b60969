"""Promises of `smallhold.cli.findings`: this file holds tests of the diagnosis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.extras import EXTRAS
from smallhold.cli.findings import Findings
from smallhold.models import Accelerator, AcceleratorKind

NOTHING: Mapping[str, tuple[str, ...]] = dict.fromkeys(EXTRAS, ())


def without(extra: str, *modules: str) -> Mapping[str, tuple[str, ...]]:
    return {**NOTHING, extra: modules}


def commands(findings: Findings) -> list[str | None]:
    return [problem.command for problem in findings.problems]


def test_a_machine_on_which_the_default_model_ran_is_sound(sound_findings: Findings) -> None:
    assert sound_findings.can_run
    assert sound_findings.problems == ()
    assert sound_findings.hints == ()


def test_a_missing_model_is_mended_by_a_pull(sound_findings: Findings) -> None:
    findings = replace(sound_findings, models=("other",))
    assert commands(findings) == ["smallhold pull small"]
    assert not findings.can_run


def test_a_missing_native_part_is_mended_by_a_build(sound_findings: Findings) -> None:
    findings = replace(sound_findings, missing=without("native", "llama_cpp"), speed=None)
    assert commands(findings) == ["smallhold engine build"]
    assert not findings.engine_installed


def test_the_compiler_comes_before_the_build_that_needs_it(sound_findings: Findings) -> None:
    findings = replace(
        sound_findings,
        missing=without("native", "llama_cpp"),
        compiler=None,
        compiler_problem="No C++ compiler was found.",
        speed=None,
    )
    assert findings.problems[0].what == "No C++ compiler was found."
    assert commands(findings) == [None, "smallhold engine build"]


def test_a_compiler_is_not_missed_where_the_engine_is_built(sound_findings: Findings) -> None:
    assert replace(sound_findings, compiler=None, compiler_problem="No C++ compiler.").can_run


def test_missing_modules_of_the_engine_are_named(sound_findings: Findings) -> None:
    findings = replace(sound_findings, missing=without("engine", "msgspec", "numpy"), speed=None)
    assert findings.problems[0].what == "The engine needs msgspec, numpy."
    assert commands(findings) == ["pip install 'smallhold[engine]'"]


def test_a_trial_that_failed_is_a_problem(sound_findings: Findings) -> None:
    findings = replace(sound_findings, speed=None, failure="The model could not be loaded")
    assert [problem.what for problem in findings.problems] == ["The model could not be loaded"]
    assert not findings.can_run


def test_extras_that_the_default_model_does_not_need_are_hints(sound_findings: Findings) -> None:
    findings = replace(sound_findings, missing=without("evals", "jsonschema"))
    assert findings.can_run
    assert [hint.command for hint in findings.hints] == ["pip install 'smallhold[evals]'"]


@given(
    missing=st.fixed_dictionaries({
        extra: st.sets(st.sampled_from(modules)).map(lambda found: tuple(sorted(found)))
        for extra, modules in EXTRAS.items()
    }),
    models=st.sets(st.sampled_from(["small", "other"])).map(tuple),
    failure=st.none() | st.just("failed"),
    was_tried=st.booleans(),
)
def test_what_cannot_run_and_was_tried_has_a_problem_to_show(
    sound_findings: Findings,
    *,
    missing: Mapping[str, tuple[str, ...]],
    models: tuple[str, ...],
    failure: str | None,
    was_tried: bool,
) -> None:
    findings = replace(sound_findings, missing=missing, models=models, failure=failure)
    findings = findings if was_tried else replace(findings, speed=None)
    assert findings.can_run == (not findings.problems and was_tried)
    assert json.loads(json.dumps(findings.to_dict()))["can_run"] == findings.can_run


def test_json_is_sorted_where_the_order_means_nothing(sound_findings: Findings) -> None:
    document = sound_findings.to_dict()
    assert isinstance(document["hardware"], dict)
    assert document["hardware"]["cpu_flags"] == ["avx2", "fma"]


def test_a_file_that_was_asked_for_by_its_own_name_is_here(sound_findings: Findings) -> None:
    findings = replace(sound_findings, default_model="small:q8_0", files=("small:q4_k_m",))
    assert commands(findings) == ["smallhold pull small:q8_0"]
    assert replace(findings, files=("small:q8_0",)).can_run


def test_a_model_that_does_not_fit_is_a_problem(sound_findings: Findings) -> None:
    findings = replace(sound_findings, choice_problem="'small' needs at least 9,000 MB")
    assert [problem.what for problem in findings.problems] == ["'small' needs at least 9,000 MB"]
    assert not findings.can_run


def test_a_gpu_that_the_engine_does_not_use_is_a_hint(sound_findings: Findings) -> None:
    gpu = Accelerator(kind=AcceleratorKind.CUDA, name="Some GPU")
    npu = Accelerator(kind=AcceleratorKind.NPU, name="Some NPU")
    hardware = replace(sound_findings.hardware, accelerators=(gpu, npu))
    findings = replace(sound_findings, hardware=hardware)
    assert [hint.what for hint in findings.hints] == [
        "The engine was compiled without support for Some GPU: the CPU computes."
    ]
    assert findings.can_run
    used = replace(hardware, engine_backends=frozenset({AcceleratorKind.CUDA}))
    assert replace(sound_findings, hardware=used).hints == ()


def test_a_gpu_of_unknown_memory_is_mended_by_its_extra(sound_findings: Findings) -> None:
    gpu = Accelerator(kind=AcceleratorKind.CUDA, name="Some GPU")
    hardware = replace(
        sound_findings.hardware,
        accelerators=(gpu,),
        engine_backends=frozenset({AcceleratorKind.CUDA}),
    )
    findings = replace(sound_findings, hardware=hardware, missing=without("gpu", "pynvml"))
    assert [hint.command for hint in findings.hints] == ["pip install 'smallhold[gpu]'"]
    assert replace(findings, missing=NOTHING).hints == ()
