"""Budgeted training: learning rates that land at zero exactly when the budget ends.

>>> import glidepath
>>> glide = glidepath.Glide("4it", base_lr=0.1)
>>> while not glide.done:
...     print(f"{glide.lr:.3f}")
...     glide.update()
0.100
0.075
0.050
0.025
>>> glide.lr
0.0

Submodules, each imported by its own name where its library is installed: glidepath.torch, glidepath.transformers,
glidepath.lightning, glidepath.keras, glidepath.optax, glidepath.timm.
"""

from __future__ import annotations

from glidepath._core import (
    PairedDifference,
    Schedule,
    canonical_schedule,
    holm,
    learning_rates,
    paired_difference,
    pairs_needed,
    parse_budget,
    schedule,
    schedule_label,
    schedules,
    updates_in,
)
from glidepath._errors import Error, InputError, RunError
from glidepath._glide import Glide
from glidepath._plot import plot_schedules

__version__ = "0.1.0"

__all__ = [
    "Error",
    "Glide",
    "InputError",
    "PairedDifference",
    "RunError",
    "Schedule",
    "canonical_schedule",
    "holm",
    "learning_rates",
    "paired_difference",
    "pairs_needed",
    "parse_budget",
    "plot_schedules",
    "schedule",
    "schedule_label",
    "schedules",
    "updates_in",
]
