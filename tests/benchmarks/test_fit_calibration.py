"""Promises of `benchmarks/fit_calibration.py`: this file holds tests on invented messages.

The invented model is sure of itself: a tool is likely where one is wanted, unlikely elsewhere.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import anyio
import numpy as np
import pytest
from benchmarks.calibration.cross_validation import validated_rule
from benchmarks.calibration.figures import (
    ask_auroc,
    auroc,
    call_auroc,
    decided_right,
    further_auroc,
    suits_auroc,
)
from benchmarks.calibration.fitting import Judged, fit_rules
from benchmarks.calibration.gathered import (
    FilledRecord,
    Gathered,
    GatheredRecord,
    MadeRecord,
    StepRecord,
    parse_record,
    read_gathered,
    sample_key,
)
from benchmarks.calibration.regression import Choice, choice_rule
from benchmarks.calibration.samples import Wanted, drawn, read_samples
from benchmarks.fit_calibration import done_keys, gather_all, main
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject
from smallhold.models.calibration import LinearRule, parse_calibration
from smallhold.testing import Calls, ScriptedRuntime, call

CITIES = ("Oslo", "Rome", "Lima", "Bern", "Cork", "Kiel", "Lyon", "Nice", "Pisa", "York")
EVERYTHING = frozenset({"multiple", "irrelevance", "parallel"}) | {
    f"when2call_{label}" for label in ("tool_call", "request_for_info", "cannot_answer")
}
MODEL = "invented"


def tool(name: str) -> JsonObject:
    parameters: JsonObject = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    return {"function": {"name": name, "description": f"Do {name}", "parameters": parameters}}


def row(row_id: str, text: str, number: int, **more: object) -> dict[str, object]:
    tools = [tool(f"weather_{number}"), tool(f"trains_{number}")]
    messages = [{"role": "user", "content": text}]
    return {"id": row_id, "messages": messages, "tools": tools, **more}


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten messages of each kind, each with tools of its own."""
    cities = list(enumerate(CITIES))
    bfcl = {
        "multiple": ("How is the weather in", 1),
        "parallel": ("How is the weather, now and later, and then in", 2),
        "irrelevance": ("Who painted the town hall of", 0),
    }
    for category, (text, count) in bfcl.items():
        rows = [
            row(
                f"{category}_{number}",
                f"{text} {city}",
                number,
                ground_truth=[{f"weather_{number}": {"city": [city]}}] * count,
            )
            for number, city in cities
        ]
        write_lines(tmp_path / "bfcl" / f"{category}.jsonl", rows)
    when2call = [
        row(f"{label}_{number}", f"Trains to {city}?", number, label=label)
        for label in ("tool_call", "request_for_info", "cannot_answer")
        for number, city in cities
    ]
    write_lines(tmp_path / "when2call" / "some.jsonl", when2call)
    return tmp_path


@pytest.fixture
def gathered(data: Path) -> Path:
    """What a model that is always right would have left."""
    records: list[GatheredRecord] = []
    for sample in read_samples(data):
        likely = -0.1 if sample.wanted is not Wanted.NOTHING else -9.0
        invented = [] if sample.wanted is Wanted.CALL else ["city"]
        names = [sample.tools[0].name] * len(sample.expected)
        steps = [
            StepRecord(
                made=[MadeRecord(name=name, arguments={"city": "Oslo"}) for name in names[:count]],
                log_probs=[-0.1 if count < len(names) else -6.0, -8.0, -1.0],
            )
            for count in range(1, len(names) + 1)
        ]
        filled = FilledRecord(
            tool=sample.tools[0].name,
            arguments={"city": "Oslo"},
            invented=invented,
            unmentioned=len(invented),
            steps=steps,
        )
        records.append(
            GatheredRecord(
                model=MODEL,
                category=sample.category,
                id=sample.id,
                log_probs=[likely, likely - 4.0, -3.0, -3.0, -3.0],
                baseline_log_probs=[-2.0, -2.0, -1.0, -1.0, -1.0],
                filled=None if sample.category == "irrelevance" else filled,
            )
        )
    path = data / "gathered.jsonl"
    path.write_text("".join(one.model_dump_json() + "\n" for one in records), "utf-8")
    return path


def rows_of(gathered: Path) -> list[Gathered]:
    samples = {sample_key(sample): sample for sample in read_samples(gathered.parent)}
    return list(read_gathered(gathered, samples=samples))


def fitted_bytes(gathered: Path, *, out: str, shift: str = "0") -> bytes:
    folder = gathered.parent
    rules = ("call", "suits", "ask", "further")
    shifts = [word for rule in rules for word in (f"--{rule}-shift", shift)]
    main(["fit", str(gathered), "--data", str(folder), "--out", str(folder / out), *shifts])
    return (folder / out).read_bytes()


def test_a_fit_writes_a_file_that_the_product_reads(
    gathered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration = parse_calibration(fitted_bytes(gathered, out="a.json"), file="a.json")
    assert calibration.pick.weights["score"] == 1.0
    assert calibration.call.weights["over_cannot"] > 0.0
    assert calibration.suits.weights["over_cannot"] > 0.0
    assert calibration.ask.weights["invented"] > 0.0
    assert calibration.further.weights["over_done"] > 0.0
    assert "60 messages" in calibration.fitted_on
    report = capsys.readouterr().out
    assert "| `multiple` | 100.0% | 10 |" in report
    assert "| 0 (in use) | 100% | 100% | - | - |" in report


def test_rows_that_can_be_told_apart_are_told_apart_by_rules_that_never_saw_them(
    gathered: Path,
) -> None:
    fit = fit_rules(rows_of(gathered))
    assert call_auroc(fit.judged, categories=EVERYTHING) == 1.0
    assert suits_auroc(fit.judged, categories=EVERYTHING) == 1.0
    assert ask_auroc(fit.judged) == 1.0
    assert further_auroc(fit.judged) == 1.0
    assert set(decided_right(fit.judged).values()) == {(10, 10)}


def test_the_same_rows_give_the_same_bytes(gathered: Path) -> None:
    assert fitted_bytes(gathered, out="a.json") == fitted_bytes(gathered, out="b.json")


@pytest.mark.parametrize("name", ["call", "suits", "ask", "further"])
def test_a_shift_moves_only_the_threshold_of_its_rule(gathered: Path, name: str) -> None:
    plain = parse_calibration(fitted_bytes(gathered, out="a.json"), file="a.json")
    written = fitted_bytes(gathered, out="b.json", shift="-0.5")
    shifted = parse_calibration(written, file="b.json")
    rule, moved = getattr(plain, name), getattr(shifted, name)
    assert isinstance(rule, LinearRule)
    assert isinstance(moved, LinearRule)
    assert moved.intercept == pytest.approx(rule.intercept - 0.5, abs=1e-3)
    assert moved.weights == rule.weights
    assert shifted.pick == plain.pick


def test_a_shift_of_one_rule_leaves_the_others_where_they_are(gathered: Path) -> None:
    rows = rows_of(gathered)
    plain = fit_rules(rows)
    shifted = fit_rules(rows, suits_shift=-0.5)
    assert shifted.suits.intercept == pytest.approx(plain.suits.intercept - 0.5)
    assert (shifted.call, shifted.ask, shifted.further) == (plain.call, plain.ask, plain.further)
    assert any(one.suits is not None for one in plain.judged)
    for one, other in zip(plain.judged, shifted.judged, strict=True):
        assert (other.suits is None) == (one.suits is None)
        if one.suits is not None:
            assert other.suits == pytest.approx(one.suits - 0.5)


# What becomes of a row


@pytest.mark.parametrize(
    ("row_id", "margin", "suits", "ask", "expected"),
    [
        ("multiple_3", 1.0, 1.0, -1.0, Wanted.CALL),
        ("multiple_3", -1.0, 1.0, 1.0, Wanted.NOTHING),
        ("multiple_3", 1.0, -1.0, 1.0, Wanted.NOTHING),
        ("multiple_3", 1.0, 1.0, 1.0, Wanted.CALL),
        ("request_for_info_3", 1.0, 1.0, 1.0, Wanted.ASK),
        ("request_for_info_3", 0.0, 0.0, 0.0, Wanted.ASK),
        ("request_for_info_3", 1.0, 1.0, -1.0, Wanted.CALL),
        ("request_for_info_3", -1.0, 1.0, 1.0, Wanted.NOTHING),
        ("irrelevance_3", 1.0, None, None, Wanted.CALL),
        ("irrelevance_3", -1.0, None, None, Wanted.NOTHING),
    ],
)
def test_a_row_is_called_for_asked_about_or_refused_as_the_product_would_do(
    gathered: Path,
    row_id: str,
    margin: float,
    suits: float | None,
    ask: float | None,
    expected: Wanted,
) -> None:
    (row,) = [row for row in rows_of(gathered) if row.sample.id == row_id]
    judged = Judged(
        row=row, picked=row.sample.tools[0].name, margin=margin, suits=suits, ask=ask, further=()
    )
    assert judged.is_called is (expected is Wanted.CALL)
    assert judged.is_wanted is (expected is not Wanted.NOTHING)
    assert judged.is_asked is (expected is Wanted.ASK)


@pytest.mark.parametrize(
    "categories",
    [
        ("irrelevance", "when2call_cannot_answer"),
        ("when2call_cannot_answer",),  # of what is refused, nothing else was filled
        ("when2call_request_for_info",),
        ("parallel",),
    ],
)
def test_a_file_without_both_answers_to_a_question_cannot_be_fitted(
    gathered: Path, categories: tuple[str, ...]
) -> None:
    lines = gathered.read_text("utf-8").splitlines()
    kept = [line for line in lines if json.loads(line)["category"] not in categories]
    gathered.write_text("\n".join(kept) + "\n", "utf-8")
    with pytest.raises(ConfigError, match="gather more rows"):
        fitted_bytes(gathered, out="a.json")


def test_rows_of_two_models_are_not_fitted_together(gathered: Path) -> None:
    first, *others = gathered.read_text("utf-8").splitlines()
    other = first.replace(MODEL, "another")
    gathered.write_text("\n".join([other, *others]) + "\n", "utf-8")
    with pytest.raises(ConfigError, match="one model"):
        fitted_bytes(gathered, out="a.json")


def test_a_share_is_always_the_same_and_keeps_a_toolset_together(data: Path) -> None:
    samples = read_samples(data)
    chosen = drawn(samples, share=0.9)
    assert chosen == drawn(samples, share=0.9)
    assert len(chosen) == 6 * 9
    changes = sum(one.tools != other.tools for one, other in pairwise(chosen))
    assert changes == len({repr(one.tools) for one in chosen}) - 1


@pytest.mark.parametrize("unfinished", [b"", b'{"model":"inven'])
def test_gathering_goes_on_where_it_was_cut_off(data: Path, unfinished: bytes) -> None:
    samples = drawn(read_samples(data), share=0.1)[:3]
    out = data / "new.jsonl"

    async def gather(count: int) -> int:
        runtime = ScriptedRuntime([
            call(one.tools[0].name, city="Oslo") for one in samples[-count:]
        ])
        return await gather_all(samples, runtime=runtime, model=MODEL, out=out, seconds=60.0)

    assert anyio.run(gather, 3) == 3
    whole = out.read_bytes()
    first_two = b"".join(whole.splitlines(keepends=True)[:2])
    out.write_bytes(first_two + unfinished)
    assert anyio.run(gather, 1) == 1
    assert out.read_bytes().count(b"\n") == 3
    assert done_keys(out, model=MODEL) == {sample_key(sample) for sample in samples}


def test_steps_go_on_as_long_as_more_calls_are_right(data: Path) -> None:
    (sample,) = [one for one in read_samples(data) if one.id == "parallel_3"]
    out = data / "new.jsonl"

    async def gather() -> None:
        name = sample.tools[0].name
        runtime = ScriptedRuntime([Calls(calls=(call(name, city="Bern"), call(name, city="now")))])
        await gather_all([sample], runtime=runtime, model=MODEL, out=out, seconds=60.0)

    anyio.run(gather)
    _, record = parse_record(out.read_bytes())
    assert record.filled is not None
    weather = sample.tools[0].name
    noted = [[(one.name, one.arguments) for one in step.made] for step in record.filled.steps]
    assert noted == [
        [(weather, {"city": "Bern"})],
        [(weather, {"city": "Bern"}), (weather, {"city": "now"})],
    ]


@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=9),
    st.lists(st.integers(-9, 9), min_size=1, max_size=9),
)
def test_the_area_under_the_curve_counts_pairs(yes: list[int], no: list[int]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in yes for b in no]
    assert auroc(yes, no) == pytest.approx(sum(pairs) / len(pairs))


def test_a_choice_rule_prefers_what_was_right() -> None:
    choices = [
        Choice(alternatives=[{"score": 0.0, "noise": n}, {"score": 1.0, "noise": -n}], right=1)
        for n in (-1.0, 1.0, -1.0, 1.0)
    ]
    rule = choice_rule(choices, ridge=1.0)
    assert rule.weights["score"] > 0.5
    assert rule.weights["noise"] == pytest.approx(0.0, abs=1e-9)


def test_a_row_is_never_read_by_a_rule_that_saw_its_group() -> None:
    rows = [{"x": float(number % 3)} for number in range(12)]
    labels = np.array([float(number % 2) for number in range(12)])
    groups = ["only"] * 12
    validated = validated_rule(rows, labels, groups=groups, ridge=1.0, weights=np.ones(12))
    assert set(validated.unseen) == {0.0}
