"""What the callbacks of all trainers do with budgets: as text, on resume, and where training ended too early."""

from __future__ import annotations

import warnings
from typing import Any

from glidepath._core import parse_budget
from glidepath._errors import InputError
from glidepath._glide import Glide


def parse_or_deadline(budget: str) -> tuple[str, float]:
    """The unit and amount of a budget; deadlines and a job's limit are seconds, not known how many."""
    if budget == "slurm" or budget.startswith("until "):
        return "seconds", float("nan")
    try:
        return parse_budget(budget)
    except InputError as error:
        raise InputError(f"budget {error}") from None


def require_countable(budget: str) -> None:
    """Refuses what says nothing, and what a trainer whose full length is not known cannot count."""
    if parse_or_deadline(budget)[0] in ("percent", "flops"):
        raise InputError(f'budget "{budget}": give updates, epochs or a time')


def go_on(glide: Glide, state: dict[str, Any]) -> None:
    """Brings a state back; another budget than the state's is told by a warning."""
    if told := glide.load_state_dict(state):
        warnings.warn(told, UserWarning, stacklevel=3)


def warn_if_early(glide: Glide | None, budget: str, what: str = "training", advice: str = "") -> None:
    """Says that the trainer ended before the budget did."""
    if glide is not None and not glide.done:
        text = f"{what} ended before its budget {budget}, at progress {glide.progress:.3f}{advice}"
        warnings.warn(text, UserWarning, stacklevel=3)
