"""Promises of `smallhold.evals.knowledge.report`: this file holds tests of its figures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.knowledge import (
    Answer,
    AskedQuestion,
    Half,
    Question,
    Ranks,
    Style,
    build_report,
)
from smallhold.exceptions import ConfigError

ANSWERS = (Answer(page="a.html", section="Why", phrase="because"),)


def asked(
    text: str,
    *,
    found: int | None,
    spot: int | None = None,
    style: Style = Style.KEYWORDS,
    seconds: float = 0.01,
) -> AskedQuestion:
    question = Question(text=text, style=style, answers=ANSWERS)
    return AskedQuestion(question=question, ranks=Ranks(found=found, spot=spot), seconds=seconds)


def test_recall_is_the_share_of_questions_answered_by_a_depth() -> None:
    report = build_report([
        asked("a", found=1, spot=6),
        asked("b", found=2, seconds=0.5),
        asked("c", found=10),
        asked("d", found=None, seconds=0.02),
    ])
    assert {depth: share.share for depth, share in report.all.found.items()} == {
        1: 0.25, 5: 0.5, 10: 0.75,
    }  # fmt: skip
    assert [share.share for share in report.all.spot.values()] == [0, 0, 0.25]
    assert report.all.mrr == pytest.approx((1 + 1 / 2 + 1 / 10) / 4)
    assert report.median_ms == pytest.approx(15)


def test_the_parts_are_reported_beside_the_whole() -> None:
    run = [
        asked("a", found=1),
        asked("b", found=None, style=Style.PARAPHRASE),
        asked("c", found=None, style=Style.PARAPHRASE),
    ]
    report = build_report(run)
    assert {style: figures.n for style, figures in report.styles.items()} == {
        Style.KEYWORDS: 1, Style.PARAPHRASE: 2,
    }  # fmt: skip
    assert report.styles[Style.KEYWORDS].mrr == 1
    assert sum(figures.n for figures in report.halves.values()) == 3
    for half, figures in report.halves.items():
        assert figures.n == sum(one.question.half is half for one in run)


def test_the_json_has_the_promised_keys() -> None:
    report = build_report([asked("a", found=1, spot=1), asked("b", found=1, spot=1)])
    document = json.loads(json.dumps(report.to_dict()))
    part = {
        "n": 2, "mrr": 1.0, "mrr_ci95": [1.0, 1.0],
        **{
            f"{name}_at_{depth}{suffix}": value
            for name in ("recall", "spot")
            for depth in (1, 5, 10)
            for suffix, value in (("", 1.0), ("_ci95", [0.3424, 1.0]))
        },
    }  # fmt: skip
    assert document.pop("styles") == {"keywords": part}
    assert set(document.pop("halves")) <= {half.value for half in Half}
    assert document == {**part, "median_ms": 10.0}


def test_no_questions_have_no_report() -> None:
    with pytest.raises(ConfigError):
        build_report([])


@given(st.lists(st.one_of(st.none(), st.integers(1, 10)), min_size=1, max_size=30))
def test_deeper_is_never_worse_and_figures_lie_in_their_intervals(
    ranks: list[int | None],
) -> None:
    figures = build_report([asked(str(n), found=rank) for n, rank in enumerate(ranks)]).all
    shares = [figures.found[depth] for depth in (1, 5, 10)]
    assert shares[0].share <= figures.mrr + 1e-9
    assert figures.mrr <= shares[2].share + 1e-9
    assert [share.share for share in shares] == sorted(share.share for share in shares)
    for share in shares:
        assert share.ci95.low <= share.share <= share.ci95.high
