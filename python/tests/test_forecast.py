"""Forecasts from Python, against an independent program's."""

from __future__ import annotations

import csv
import doctest
import math
import pathlib

import pytest

import glidepath
from glidepath import _core, _forecast

GOLDEN = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "data" / "golden" / "forecast" / "golden.csv"


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


@pytest.mark.skipif(not GOLDEN.exists(), reason="not in a source archive")
def test_forecasts_are_those_of_an_independent_program() -> None:
    with GOLDEN.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 195
    for row in rows:
        chance = float(row["e0"]) if row["kind"] == "acc" else None
        curve = glidepath.Forecast(numbers(row["fit_budgets"]), numbers(row["fit_error"]), numbers(row["se"]), chance)
        expected = [float(row[name]) for name in ("q05", "q50", "q95")]
        assert list(curve.at(float(row["target_budget"]))) == pytest.approx(expected, abs=0.02), row["curve"]


def test_runs_of_one_budget_are_seeds() -> None:
    budgets, scores = [1, 2, 4, 8] * 2, [40, 50, 58, 65, 41, 51.5, 59, 65.5]
    told = glidepath.forecast(budgets, scores, [16, 32], chance=10, target=72)
    squares = [0.5, 1.125, 0.5, 0.125]
    error = math.sqrt(sum(squares) / 4 / 2)  # pooled over the budgets, of means of two
    curve = glidepath.Forecast([1, 2, 4, 8], [59.5, 49.25, 41.5, 34.75], [error] * 4, 90)
    for prediction, budget in zip(told.predictions, [16, 32]):
        low, median, high = curve.at(budget)
        assert prediction.budget == budget
        assert [prediction.low, prediction.score, prediction.high] == pytest.approx(
            [100 - high, 100 - median, 100 - low]
        )
    assert told.budget_even == pytest.approx(curve.budget_for(28, 0.5, 8000))
    assert told.budget_likely is None or told.budget_likely >= told.budget_even
    assert told.notes == []
    assert [p.budget for p in glidepath.forecast(budgets, scores).predictions] == [16, 32]


def test_shares_are_percent() -> None:
    percent = glidepath.forecast([1, 2, 4], [40, 50, 58], [8], chance=10, target=60)
    shares = glidepath.forecast([1, 2, 4], [0.40, 0.50, 0.58], [8], chance=0.1, target=0.6)
    assert shares.predictions[0].score == pytest.approx(percent.predictions[0].score / 100)
    assert shares.predictions[0].low == pytest.approx(percent.predictions[0].low / 100)
    assert shares.budget_even == pytest.approx(percent.budget_even)
    assert "noise assumed" in percent.notes[0]


def test_losses_fall() -> None:
    told = glidepath.forecast([1, 2, 4, 8], [4.0, 3.4, 3.0, 2.75], [16], loss=True, target=2.6)
    (prediction,) = told.predictions
    assert prediction.low < prediction.score < 2.75 and prediction.score < prediction.high
    assert told.budget_even is not None and told.budget_even > 8


def test_shares_of_the_full_budget() -> None:
    curve = glidepath.Forecast([1, 2, 4, 8], [59.5, 49.25, 41.5, 34.75], [0.3] * 4, 90)
    even, likely = curve.budgets_for_share(0.95, 64)
    assert 8 < even < likely <= 64
    assert curve.probability_of(curve.at(16)[1], 16) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [40, 50, 60]), "must be of one length; there are 2 and 3"),
        (([], []), "they are empty"),
        (([1, 2, 4], [40, 50, 101]), r"score 101: must be in \[0, 100\]"),
        (([1, 2, 4], [40, 50, math.nan]), "score nan"),
        (([1, 2], [40, 50]), "2 budgets at least 1.3 times apart; a forecast takes 3"),
        (([0, 2, 4], [40, 50, 60]), "budget"),
    ],
)
def test_wrong_numbers_are_refused(arguments: tuple[list[float], list[float]], message: str) -> None:
    with pytest.raises(glidepath.InputError, match=message):
        glidepath.forecast(*arguments)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(glidepath.InputError, match=r"target 120: must be in \(0, 100\)"):
        glidepath.forecast([1, 2, 4], [40, 50, 60], target=120)
    with pytest.raises(glidepath.InputError, match=r"score 0: must be a loss above 0"):
        glidepath.forecast([1, 2, 4], [3, 2, 0], loss=True)
    with pytest.raises(glidepath.InputError, match="still that of chance"):
        glidepath.forecast([1, 2, 4], [10, 10, 10.5], chance=10)


def test_examples_of_its_docstrings() -> None:
    assert doctest.testmod(_forecast).failed == 0
    examples = doctest.DocTestFinder().find(_core.Forecast, "Forecast", globs={})
    runner = doctest.DocTestRunner()
    assert sum(runner.run(example).failed for example in examples) == 0
