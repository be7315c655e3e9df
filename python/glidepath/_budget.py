"""Budgets as text, for trainers that want to know their length."""

from __future__ import annotations

from glidepath._core import parse_budget
from glidepath._errors import InputError


def parse_or_deadline(budget: str) -> tuple[str, float]:
    """The unit and amount of a budget; deadlines and a job's limit are seconds, not known how many."""
    if budget == "slurm" or budget.startswith("until "):
        return "seconds", float("nan")
    try:
        return parse_budget(budget)
    except InputError as error:
        raise InputError(f"budget {error}") from None
