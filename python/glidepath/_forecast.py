"""What larger budgets would reach, from what a few small ones did."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from glidepath._core import Forecast, curve_errors
from glidepath._errors import InputError

# Farther than this many times the largest budget no forecast says anything.
_FARTHEST = 1000


@dataclass(frozen=True)
class Prediction:
    """What a run of a budget would reach."""

    budget: float
    score: float
    """The median, in the unit of the scores that were given."""
    low: float
    high: float
    """The ends of the interval that holds it with 90 %; low is the smaller number, of losses as well."""


@dataclass(frozen=True)
class ForecastResult:
    """What forecast() tells."""

    predictions: list[Prediction]
    budget_even: float | None
    """The budget by which the target is reached with even odds; None without a target, or where it is not."""
    budget_likely: float | None
    """Likewise with 90 % confidence."""
    notes: list[str]
    """Why it may be wrong: noise that had to be assumed, a largest budget that did worse."""


def forecast(
    budgets: Sequence[float],
    scores: Sequence[float],
    at: Sequence[float] | None = None,
    *,
    target: float | None = None,
    chance: float = 0.0,
    loss: bool = False,
) -> ForecastResult:
    """Foretells what larger budgets would reach, as `glidepath plan --curve` does (docs/forecast.md has the method).

    A pure function: nothing is fitted by an optimizer, and equal arguments give equal results.

    Args:
        budgets: one for each run, above 0, in any one unit. Each run was annealed to its budget: what one long
            run reached on its way is no such curve. A budget that is there several times is one of several
            seeds. At least three of them, 1.3 times apart; the last five are used.
        scores: accuracies, all in percent or all in [0, 1]; with `loss` losses, above 0.
        at: budgets to tell of; without it two and four times the largest.
        target: a score whose budgets are told, in the unit of the scores.
        chance: what guessing gets right, in the same unit: 10 (or 0.1) of ten classes. Of no meaning for losses.
        loss: lower scores are better.

    Returns:
        Scores with their 90 % intervals, in the unit that was given, and the budgets for the target.

    Raises:
        InputError: lengths that differ, numbers out of range, fewer than three budgets, a largest budget
            that is still at chance.

    >>> import glidepath
    >>> told = glidepath.forecast([1, 5, 10, 25], [30.6, 57.3, 62.3, 66.3], [100], chance=0.1, target=68)
    >>> [f"{p.score:.1f} ({p.low:.1f} to {p.high:.1f})" for p in told.predictions]
    ['68.1 (64.1 to 71.7)']
    """
    if len(budgets) != len(scores):
        raise InputError(f"budgets and scores must be of one length; there are {len(budgets)} and {len(scores)}")
    if not scores:
        raise InputError("budgets and scores must have a number for each run; they are empty")
    largest = 1.0 if max(scores) <= 1 else 100.0
    scale = 1.0 if loss else 100 / largest
    for name, value in [("score", each) for each in scores] + ([] if loss else [("chance", chance)]):
        if not (0 < value if loss else 0 <= value <= largest):
            allowed = "a loss above 0" if loss else f"in [0, {largest:g}], as the other scores"
            raise InputError(f"{name} {value!r}: must be {allowed}")
    if target is not None and not (0 < target if loss else 0 < target < largest):
        raise InputError(f"target {target!r}: must be {'a loss above 0' if loss else f'in (0, {largest:g})'}")

    runs: dict[float, list[float]] = {}
    for budget, score in sorted(zip(budgets, scores)):
        runs.setdefault(float(budget), []).append(scale * score)
    errors, standard_errors, at_chance, notes = curve_errors(
        list(runs),
        [statistics.fmean(each) for each in runs.values()],
        [statistics.stdev(each) if len(each) > 1 else None for each in runs.values()],
        [len(each) for each in runs.values()],
        loss,
        None if loss else scale * chance,
    )
    curve = Forecast(list(runs), errors, standard_errors, at_chance)

    def score_of(error: float) -> float:
        return error if loss else (100 - error) / scale

    predictions = []
    last = max(runs)
    for budget in [2 * last, 4 * last] if at is None else at:
        low, median, high = (score_of(error) for error in curve.at(budget))
        predictions.append(Prediction(float(budget), median, min(low, high), max(low, high)))
    even = likely = None
    if target is not None:
        error = target if loss else 100 - scale * target
        even = curve.budget_for(error, 0.5, _FARTHEST * last)
        likely = curve.budget_for(error, 0.9, _FARTHEST * last)
    return ForecastResult(predictions, even, likely, list(notes))
