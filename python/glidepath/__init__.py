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
glidepath.lightning, glidepath.keras, glidepath.ultralytics, glidepath.optax, glidepath.timm.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from glidepath._core import (
    Forecast,
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

if TYPE_CHECKING:
    from glidepath._forecast import ForecastResult, Prediction, forecast
    from glidepath._plot import plot_schedules
    from glidepath._program import study, train
    from glidepath._results import RunResult, Study, StudyRun, load_run, load_study
    from glidepath._run import Run

__version__ = "0.1.0"

# Imported when they are first asked for: `import glidepath` is to cost nothing.
_LATER = {
    "ForecastResult": "_forecast",
    "Prediction": "_forecast",
    "forecast": "_forecast",
    "plot_schedules": "_plot",
    "train": "_program",
    "study": "_program",
    "RunResult": "_results",
    "Study": "_results",
    "StudyRun": "_results",
    "load_run": "_results",
    "load_study": "_results",
    "Run": "_run",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'glidepath' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"glidepath.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "Error",
    "Forecast",
    "ForecastResult",
    "Glide",
    "InputError",
    "PairedDifference",
    "Prediction",
    "Run",
    "RunError",
    "RunResult",
    "Schedule",
    "Study",
    "StudyRun",
    "canonical_schedule",
    "forecast",
    "holm",
    "learning_rates",
    "load_run",
    "load_study",
    "paired_difference",
    "pairs_needed",
    "parse_budget",
    "plot_schedules",
    "schedule",
    "schedule_label",
    "schedules",
    "study",
    "train",
    "updates_in",
]
