"""A picture of schedules, with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glidepath._core import learning_rates, schedule_label


def plot_schedules(
    schedules: Sequence[str],
    *,
    updates: int = 1000,
    base_lr: float = 1.0,
    steps_per_epoch: int | None = None,
    ax: Any | None = None,
) -> Any:
    """Draws the rates of schedules over the budget; returns matplotlib's Axes. Needs matplotlib.

    With `ax` it draws there, else into a new figure.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots()[1]
    progress = [step / updates for step in range(updates)]
    for text in schedules:
        rates = learning_rates(text, updates=updates, base_lr=base_lr, steps_per_epoch=steps_per_epoch)
        ax.plot(progress, rates, label=schedule_label(text))
    ax.set_xlabel("progress (spent / budget)")
    ax.set_ylabel("learning rate" if base_lr != 1 else "factor of the base rate")
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax
