"""A budget for ultralytics' trainers: add_budget."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from glidepath._budget import go_on, require_countable
from glidepath._glide import Glide
from glidepath.torch._agreement import Agreement
from glidepath.torch._glide_lr import StepCounter

# Epochs that no budget comes to.
_NO_LIMIT = 10**6


class _Budget:
    """The callbacks of one model; each is called with its trainer."""

    def __init__(self, budget: str, schedule: str, keep_back: float) -> None:
        require_countable(budget)
        self.budget, self.schedule = budget, schedule
        self.keep_back = keep_back
        self.glide: Glide | None = None
        self._counter = StepCounter()
        self._counted = 0
        self._agreement: Agreement | None = None

    def on_pretrain_routine_start(self, trainer: Any) -> None:
        # Warm-up and end are the schedule's and the budget's; theirs are made for a number of epochs.
        trainer.args.warmup_epochs = 0
        trainer.args.time = None
        trainer.args.patience = trainer.epochs = trainer.args.epochs = _NO_LIMIT

    def on_train_start(self, trainer: Any) -> None:
        batches = len(trainer.train_loader)
        steps = max(1, round(batches / max(1, trainer.args.nbs / trainer.batch_size)))
        self.glide = Glide(self.budget, self.schedule, steps_per_epoch=steps)
        state = _state_file(trainer)
        if trainer.start_epoch > 0 and state.is_file():
            go_on(self.glide, json.loads(state.read_text()))
        self.glide.keep_back(self.keep_back)
        self._agreement = Agreement() if self.glide.by_clock else None
        trainer.optimizer.register_step_post_hook(self._counter)
        self._counted = self._counter.steps
        if self._agreement is not None:
            self._agreement.begin(self.glide)

    def on_train_batch_start(self, trainer: Any) -> None:
        if self.glide is not None:
            for group in trainer.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * self.glide.factor

    def on_train_batch_end(self, trainer: Any) -> None:
        made, self._counted = self._counter.steps - self._counted, self._counter.steps
        if self.glide is None or made == 0:
            return
        self.glide.update(made)
        if self._agreement is not None:
            self._agreement.follow(self.glide)
        if self.glide.done:
            trainer.stop = True

    def on_model_save(self, trainer: Any) -> None:
        if self.glide is not None:
            _state_file(trainer).write_text(json.dumps(self.glide.state_dict()))


def add_budget(model: Any, budget: str, schedule: str = "linear", *, keep_back: float = 0.0) -> Any:
    """Lands the rate at zero when the budget ends, and ends the training there; returns the model.

    model      a YOLO, or another of ultralytics' models
    budget     "2h", "500it", "3ep", "until 2026-12-01T06:00", "slurm"; takes the place of epochs, time, patience and
               warmup_epochs. Time counts from the first batch
    schedule   takes the place of lrf and cos_lr; lr0 stays the base rate
    keep_back  seconds to keep for the last validation and save

    model = glidepath.ultralytics.add_budget(YOLO("yolo11n.yaml"), "1h")
    model.train(data="coco8.yaml")

    Where the schedule is, is kept beside the weights (glide.json), and train(resume=True) goes on from there.
    Needs an ultralytics that ends between batches where a callback sets trainer.stop (8.4).
    """
    callbacks = _Budget(budget, schedule, keep_back)
    for event in (
        "on_pretrain_routine_start",
        "on_train_start",
        "on_train_batch_start",
        "on_train_batch_end",
        "on_model_save",
    ):
        model.add_callback(event, getattr(callbacks, event))
    return model


def _state_file(trainer: Any) -> pathlib.Path:
    return pathlib.Path(trainer.wdir) / "glide.json"
