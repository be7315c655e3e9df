"""A budget for Keras's fit: GlideCallback."""

from __future__ import annotations

import time
from typing import Any

import keras

from glidepath._budget import go_on, require_countable, warn_if_early
from glidepath._errors import InputError
from glidepath._glide import Glide


class GlideCallback(keras.callbacks.Callback):
    """Lands the optimizer's learning rate at zero when the budget ends, and ends fit there.

    budget     "2h", "500it", "3ep", "until 2026-12-01T06:00", "slurm". Keras ends fit at its `epochs` whatever a callback
               says: give a number that is never reached, such as epochs=10**6; a warning says when it came first.
               Time is counted from the beginning of fit, earlier ones that the callback was part of included
    schedule   from the rate that the model was compiled with, which must be a number
    keep_back  seconds to keep for the last validation, until the callback has seen how long it takes

    model.fit(data, epochs=10**6, callbacks=[GlideCallback("20m")])

    Where the schedule is, is kept by state_dict() and brought back by load_state_dict().
    """

    def __init__(self, budget: str, schedule: str = "linear", *, keep_back: float = 0.0) -> None:
        super().__init__()
        require_countable(budget)
        self.budget = budget
        self.schedule = schedule
        self.glide: Glide | None = None
        self._saved: dict[str, Any] = {}
        self._keep_back = keep_back
        self._test_began = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if isinstance(getattr(optimizer, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule):
            raise InputError("the model was compiled with a LearningRateSchedule; give its optimizer a number instead")
        saved = self.state_dict()
        base_lr = saved.get("base_lr", float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
        self.glide = Glide(self.budget, self.schedule, base_lr, steps_per_epoch=(self.params or {}).get("steps"))
        if saved:
            go_on(self.glide, saved["glide"])
        self.glide.keep_back(self._keep_back)
        optimizer.learning_rate = self.glide.lr
        self.glide.begin()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.glide is None:
            return
        self.glide.update()
        self.model.optimizer.learning_rate = self.glide.lr
        if self.glide.done:
            self.model.stop_training = True

    def on_test_begin(self, logs: Any = None) -> None:
        self._test_began = time.monotonic()

    def on_test_end(self, logs: Any = None) -> None:
        self._keep_back = time.monotonic() - self._test_began
        if self.glide is not None:
            self.glide.keep_back(self._keep_back)

    def on_train_end(self, logs: Any = None) -> None:
        warn_if_early(self.glide, self.budget, "fit", ": give more epochs, such as epochs=10**6")

    def state_dict(self) -> dict[str, Any]:
        """All that must be kept to go on: numbers and texts; empty before the first fit."""
        if self.glide is None:
            return self._saved
        return {"glide": self.glide.state_dict(), "base_lr": self.glide.base_lr}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lets the next fit go on where the state was taken."""
        if "glide" not in state_dict or "base_lr" not in state_dict:
            raise InputError('GlideCallback\'s state: has no "glide" and "base_lr"; it is not of a GlideCallback')
        self._saved, self.glide = state_dict, None
