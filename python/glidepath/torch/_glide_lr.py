"""GlideLR: a learning-rate scheduler of PyTorch's whose budget may be a clock's."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Callable

import torch
from torch.optim.lr_scheduler import _LRScheduler as LRScheduler

from glidepath._budget import go_on
from glidepath._errors import InputError
from glidepath._glide import Glide
from glidepath.torch._agreement import Agreement


class StepCounter:
    """Counts the optimizer's steps; apart from the scheduler, so that the two make no cycle."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.steps += 1


class GlideLR(LRScheduler):
    """Anneals the optimizer's rates under a budget: so many updates, epochs, or minutes.

    optimizer        each group keeps its own base rate: its lr when the scheduler is made
    budget, schedule, steps_per_epoch, full, clock
                     as glidepath.Glide reads them: "500it", "30ep", "20m", "until 2026-12-01T06:00", "slurm"
    momentum         (with the full rate, with none): momentum, or Adam's beta1, goes from one to the other
    weight_decay_follows
                     whether each group's weight decay is multiplied by the same factor as its rate
    last_epoch       as every scheduler of PyTorch's takes it: the last update that was made, counted from 0, of an
                     optimizer whose groups have their initial_lr; -1 begins. For budgets in updates

    step() is called after optimizer.step(), as for any scheduler, and counts the updates that the optimizer has
    really made since: one that a GradScaler skipped is none, N calls by N processes (accelerate) are one, and a call once
    an epoch counts the whole epoch. Time runs from the construction to `done`. Under torch.distributed all processes
    follow the clock of rank 0, so that they end at the same update.

    Stepped past the end it warns once, and the rate stays where it landed.

    >>> import torch
    >>> weight = torch.nn.Parameter(torch.zeros(1))
    >>> optimizer = torch.optim.SGD([weight], lr=0.4)
    >>> scheduler = GlideLR(optimizer, "4it")
    >>> while not scheduler.done:
    ...     print(round(scheduler.get_last_lr()[0], 3))
    ...     optimizer.step()
    ...     scheduler.step()
    0.4
    0.3
    0.2
    0.1
    """

    last_epoch: int

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        budget: str,
        schedule: str = "linear",
        *,
        steps_per_epoch: int | None = None,
        full: str | None = None,
        momentum: tuple[float, float] | None = None,
        weight_decay_follows: bool = False,
        last_epoch: int = -1,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.glide = Glide(budget, schedule, 1.0, steps_per_epoch=steps_per_epoch, full=full, clock=clock)
        self._momentum = _checked_momentum(momentum)
        self._weight_decay_follows = weight_decay_follows
        self._follows: Agreement | bool | None = None  # not known before the first update
        self._warned = False
        self._counter = StepCounter()
        self._counted = 0
        self._has_hooks = hasattr(optimizer, "register_step_post_hook")
        if self._has_hooks:
            optimizer.register_step_post_hook(self._counter)
        if weight_decay_follows:
            for group in optimizer.param_groups:
                group.setdefault("initial_weight_decay", group.get("weight_decay", 0))
        self.optimizer = optimizer
        if last_epoch >= 0:
            self._move_to(last_epoch + 1)
        super().__init__(optimizer, last_epoch)
        self._counted = self._steps_seen()

    @property
    def done(self) -> bool:
        """Whether the budget has ended: no further update belongs to it."""
        return self.glide.done

    def get_lr(self) -> list[Any]:
        """The rate of each group for the update about to be made."""
        factor = self.glide.factor
        return [base * factor for base in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        """Counts the optimizer's updates since the last call, and sets the rates of the next one.

        With `epoch` it goes to that update of a budget in updates instead.
        """
        glide = self.glide
        if epoch is not None:
            self._move_to(epoch)
            super().step(epoch)
        elif self.last_epoch == glide.step - 1:
            # PyTorch steps a scheduler once while it is made, and SequentialLR undoes that and does it again.
            self.last_epoch += 1
            self._step_count += 1
            self._set_rates()
            return
        else:
            made = self._updates_made()
            if made == 0:
                return
            glide.update(made)
            if self._follows is not False:
                self._agree()
            if not self._warned and glide.updates_past_the_end:
                self._warn()
            if self._step_count < 2:
                self.last_epoch = glide.step - 1
                super().step()  # which warns of a wrong order, once
            else:
                self._step_count += 1
                self.last_epoch = glide.step
                self._set_rates()
                return
        self._set_followers()

    def _update_lr(self, epoch: int | None = None) -> None:
        # Today's SequentialLR calls this one, with 0, where a scheduler's turn comes.
        if epoch is not None:
            self._move_to(epoch)
        super()._update_lr(epoch)

    def keep_back(self, seconds: float, writing: float = 0.0) -> None:
        """Seconds that the final evaluation and the writing of the model take, as Glide.keep_back."""
        self.glide.keep_back(seconds, writing)

    def replan(self, budget: str, how: str = "re-anneal") -> str:
        """Changes the budget from here on, as Glide.replan, and says what that means."""
        told = self.glide.replan(budget, how)
        self._follows = None  # it may be a clock's now
        self._set_rates()
        return told

    def observe_loss(self, mean: float) -> None:
        """The training loss, which the plateau schedule follows."""
        self.glide.observe_loss(mean)

    def state_dict(self) -> dict[str, Any]:
        """All that a checkpoint must keep: numbers and texts."""
        return {
            "glide": self.glide.state_dict(),
            "base_lrs": copy.deepcopy(self.base_lrs),
            "initial_weight_decays": [group.get("initial_weight_decay") for group in self.optimizer.param_groups],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, and sets the optimizer's rates to it.

        Where it was taken under another budget than this scheduler's, the rate goes on from where it was and lands where
        the new budget ends; a warning says so. Time spent before counts.
        """
        try:
            glide, base_lrs = state_dict["glide"], state_dict["base_lrs"]
        except (KeyError, TypeError):
            raise InputError('GlideLR\'s state: has no "glide" and "base_lrs"; it is not of a GlideLR') from None
        groups = self.optimizer.param_groups
        if len(base_lrs) != len(groups):
            raise InputError(f"GlideLR's state: {len(base_lrs)} base rates, and the optimizer has {len(groups)} groups")
        go_on(self.glide, glide)
        self.base_lrs = copy.deepcopy(base_lrs)
        for group, base, decay in zip(
            groups, self.base_lrs, state_dict.get("initial_weight_decays", [None] * len(groups))
        ):
            group["initial_lr"] = copy.deepcopy(base)
            if decay is not None:
                group["initial_weight_decay"] = decay
        self.last_epoch = self.glide.step
        self._step_count = self.glide.step + 1
        self._counted = self._steps_seen()
        self._set_rates()

    def _steps_seen(self) -> int:
        # Before 2.0 PyTorch has no hooks, and counts the steps itself once a scheduler is there.
        return self._counter.steps if self._has_hooks else getattr(self.optimizer, "_step_count", 0)

    def _updates_made(self) -> int:
        seen = self._steps_seen()
        if seen == 0:
            return 1  # an optimizer that is never stepped: each call is taken for an update
        made, self._counted = seen - self._counted, seen
        return made

    def _move_to(self, step: int) -> None:
        self._counted = self._steps_seen()  # those before were another scheduler's
        if step == self.glide.step:
            return
        state = self.glide.state_dict()
        if self.glide.by_clock:
            raise InputError(f"step({step}): a budget in time has no update {step} to go to")
        state["step"] = step
        if step < state["origin_step"]:
            raise InputError(
                f"step({step}): the budget was changed at update {state['origin_step']}; nothing before it is known"
            )
        self.glide.load_state_dict(state)

    def _agree(self) -> None:
        if self._follows is None:
            agreement = Agreement() if self.glide.by_clock else None
            self._follows = agreement if agreement is not None and agreement.is_needed else False
        if isinstance(self._follows, Agreement):
            self._follows.follow(self.glide)

    def _warn(self) -> None:
        self._warned = True
        warnings.warn(
            f"the budget {self.glide.budget} has ended, after {self.glide.step - self.glide.updates_past_the_end} updates: "
            f"the rate stays at {self.glide.factor:g} of its base; look at scheduler.done, or ask for more with "
            "scheduler.replan",
            UserWarning,
            stacklevel=3,
        )

    def _set_rates(self) -> None:
        rates = self.get_lr()
        for group, lr in zip(self.optimizer.param_groups, rates):
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        self._last_lr = rates
        self._set_followers()

    def _set_followers(self) -> None:
        if self._momentum is None and not self._weight_decay_follows:
            return
        factor = self.glide.factor
        for group in self.optimizer.param_groups:
            if self._momentum is not None:
                full, none = self._momentum
                momentum = none + (full - none) * factor
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
            if self._weight_decay_follows:
                group["weight_decay"] = group["initial_weight_decay"] * factor


def _checked_momentum(momentum: tuple[float, float] | None) -> tuple[float, float] | None:
    if momentum is None:
        return None
    full, none = momentum
    if not (0 <= full < 1 and 0 <= none < 1):
        raise InputError(f"momentum {momentum}: must be two numbers in [0, 1), with the full rate and with none")
    return float(full), float(none)
