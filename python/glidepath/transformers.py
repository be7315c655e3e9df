"""A budget for Hugging Face's Trainer: GlideCallback."""

from __future__ import annotations

import time
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from glidepath._budget import go_on, parse_or_deadline, warn_if_early
from glidepath._errors import InputError
from glidepath._glide import Glide
from glidepath.torch._agreement import Agreement

# Updates that no budget in time comes to: the trainer wants to know their number beforehand.
_NO_LIMIT = 10**9


class GlideCallback(TrainerCallback, ExportableState):
    """Lands the Trainer's learning rate at zero when the budget ends, and ends the training there.

    budget     "2h", "500it", "3ep", "until 2026-12-01T06:00", "slurm"; it takes the place of num_train_epochs and
               max_steps. Time is counted from the beginning of train(), sessions before a resume included
    schedule   takes the place of lr_scheduler_type and warmup_steps; learning_rate stays the base rate
    keep_back  seconds to keep for the last evaluation and save, until the callback has seen how long they take

    At the end the trainer evaluates and saves as it does at max_steps. Checkpoints keep where the schedule is; resumed
    with another budget, the rate goes on from where it was and lands where the new budget ends.

    Trainer(model, args, train_dataset=data, callbacks=[GlideCallback("2h")]).train()

    Needs transformers 4.46 or later and a schedule of the trainer's own making (optimizers=(optimizer, None) may be
    given). Shares of the length, as eval_steps=0.1, have no meaning under a budget in time.
    """

    def __init__(self, budget: str, schedule: str = "linear", *, keep_back: float = 0.0) -> None:
        parse_or_deadline(budget)
        self.budget = budget
        self.schedule = schedule
        self.keep_back = keep_back
        self.glide: Glide | None = None
        self.saved_glide: dict[str, Any] | None = None
        self._agreement: Agreement | None = None
        self._evaluation, self._writing = keep_back, 0.0
        self._mark = 0.0

    def state(self) -> dict[str, Any]:
        """For the trainer's checkpoints."""
        return {
            "args": {"budget": self.budget, "schedule": self.schedule, "keep_back": self.keep_back},
            "attributes": {"saved_glide": self.glide.state_dict() if self.glide is not None else self.saved_glide},
        }

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        unit, amount = parse_or_deadline(self.budget)
        if unit == "updates":
            args.max_steps = int(amount)
        elif unit == "epochs":
            args.num_train_epochs, args.max_steps = amount, -1
        elif unit == "percent":
            args.num_train_epochs, args.max_steps = args.num_train_epochs * amount / 100, -1
        elif unit == "seconds":
            args.max_steps = _NO_LIMIT
        else:
            raise InputError(f'budget "{self.budget}": give updates, epochs, percent of num_train_epochs, or a time')

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        scheduler: Any = kwargs.get("lr_scheduler")
        scheduler = getattr(scheduler, "scheduler", scheduler)
        if not hasattr(scheduler, "lr_lambdas"):
            raise InputError(
                f"the trainer's scheduler is a {type(scheduler).__name__}: GlideCallback needs one of its own making, "
                'such as lr_scheduler_type="linear" gives'
            )
        by_clock = state.max_steps >= _NO_LIMIT
        self.glide = Glide(self.budget if by_clock else f"{state.max_steps}it", self.schedule)
        saved = (state.stateful_callbacks or {}).get(type(self).__name__)
        saved = saved[0] if isinstance(saved, list) else saved
        glide_state = ((saved or {}).get("attributes") or {}).get("saved_glide") or self.saved_glide
        if state.global_step > 0 and glide_state:
            go_on(self.glide, glide_state)
        self.glide.keep_back(self._evaluation, self._writing)
        if by_clock:
            self._agreement = Agreement()
        # Plain functions: those the scheduler leaves out of its state.
        scheduler.lr_lambdas = [lambda _step: self._factor()] * len(scheduler.lr_lambdas)
        for group, base in zip(scheduler.optimizer.param_groups, scheduler.base_lrs):
            group["lr"] = base * self._factor()
        scheduler._last_lr = [group["lr"] for group in scheduler.optimizer.param_groups]
        if by_clock and _shows_plain_bar():
            state.max_steps = float("inf")  # for the bar, which then has no end to count to
        self._mark = time.monotonic()
        if self._agreement is not None:
            self._agreement.begin(self.glide)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.max_steps == float("inf"):
            state.max_steps = _NO_LIMIT

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.glide is None or getattr(kwargs.get("optimizer"), "step_was_skipped", False):
            return
        self.glide.update()
        if self._agreement is not None:
            self._agreement.follow(self.glide)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._mark = time.monotonic()
        if self.glide is None or not self.glide.done:
            return
        control.should_training_stop = True
        # As the trainer does at max_steps; what goes by epochs is done at the epoch's end, which this is.
        if _is(getattr(args, "eval_strategy", "no"), "steps"):
            control.should_evaluate = True
        if _is(args.save_strategy, "steps"):
            control.should_save = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._mark = time.monotonic()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = time.monotonic()
        self._evaluation, self._mark = now - self._mark, now
        self._tell_costs()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = time.monotonic()
        self._writing, self._mark = now - self._mark, now
        self._tell_costs()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        warn_if_early(self.glide, self.budget)

    def _factor(self) -> float:
        return self.glide.factor if self.glide is not None else 1.0

    def _tell_costs(self) -> None:
        if self.glide is not None:
            self.glide.keep_back(self._evaluation, self._writing)


def _shows_plain_bar() -> bool:
    from transformers import trainer
    from transformers.trainer_callback import ProgressCallback

    return getattr(trainer, "DEFAULT_PROGRESS_CALLBACK", None) is ProgressCallback


def _is(strategy: Any, name: str) -> bool:
    return str(getattr(strategy, "value", strategy)) == name
