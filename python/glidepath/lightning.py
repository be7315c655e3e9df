"""A budget for Lightning's Trainer: GlideCallback."""

from __future__ import annotations

import time
from typing import Any

try:
    from lightning.pytorch.callbacks import Callback
except ImportError:
    from pytorch_lightning.callbacks import Callback

from glidepath._budget import go_on, parse_or_deadline, require_countable, warn_if_early
from glidepath._errors import InputError
from glidepath._glide import Glide
from glidepath.torch._agreement import Agreement


class GlideCallback(Callback):
    """Lands the learning rate at zero when the budget ends, and ends the training there.

    budget     "2h", "500it", "3ep", "until 2026-12-01T06:00", "slurm"; it takes the place of max_epochs, max_steps and
               max_time. Time is counted from the beginning of the first epoch, earlier sessions included
    schedule   sets the rate of every optimizer's groups, from the one that the module made them with; schedulers that
               the module brings along have no effect
    keep_back  seconds to keep for the last validation, until the callback has seen how long it takes

    Lightning validates and saves at the end as it does for any trainer.should_stop. Checkpoints keep where the schedule
    is; resumed with another budget, the rate goes on from where it was and lands where the new budget ends.

    Trainer(callbacks=[GlideCallback("2h")]).fit(module, data)
    """

    def __init__(self, budget: str, schedule: str = "linear", *, keep_back: float = 0.0) -> None:
        require_countable(budget)
        self.budget = budget
        self.schedule = schedule
        self.glide: Glide | None = None
        self._saved: dict[str, Any] = {}
        self._agreement: Agreement | None = None
        self._keep_back = keep_back
        self._seen = 0
        self._validation_began = 0.0

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        if stage != "fit":
            return
        # The budget alone says when it ends; Lightning's silent default is 1000 epochs.
        trainer.fit_loop.max_epochs = -1
        trainer.fit_loop.epoch_loop.max_steps = -1

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        steps = None
        if parse_or_deadline(self.budget)[0] == "epochs":
            batches = trainer.num_training_batches
            if batches == float("inf"):
                raise InputError(f'budget "{self.budget}": the loader has no length; give updates or a time')
            steps = max(1, -(-int(batches) // trainer.accumulate_grad_batches))
        self.glide = Glide(self.budget, self.schedule, steps_per_epoch=steps)
        if self._saved:
            go_on(self.glide, self._saved)
        if self.glide.by_clock:
            self._agreement = Agreement()
        self.glide.keep_back(self._keep_back)
        for group in self._groups(trainer):
            group.setdefault("initial_lr", group["lr"])
        self._seen = trainer.global_step
        if self.glide.done:
            trainer.should_stop = True
        if self._agreement is not None:
            self._agreement.begin(self.glide)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if self.glide is None:
            return
        for group in self._groups(trainer):
            group["lr"] = group["initial_lr"] * self.glide.factor

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.glide is None or trainer.global_step == self._seen:  # gradients are accumulated
            return
        self._seen = trainer.global_step
        self.glide.update()
        if self._agreement is not None:
            self._agreement.follow(self.glide)
        if self.glide.done:
            trainer.should_stop = True

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self._validation_began = time.monotonic()

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if self.glide is not None and not trainer.sanity_checking:
            self._keep_back = time.monotonic() - self._validation_began
            self.glide.keep_back(self._keep_back)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        warn_if_early(self.glide, self.budget)

    def state_dict(self) -> dict[str, Any]:
        return {"glide": self.glide.state_dict() if self.glide is not None else self._saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._saved = state_dict.get("glide", {})

    @staticmethod
    def _groups(trainer: Any) -> list[dict[str, Any]]:
        return [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
