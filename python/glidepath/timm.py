"""A budget for timm's training loops: GlideScheduler."""

from __future__ import annotations

from typing import Any, Callable

import torch
from timm.scheduler.scheduler import Scheduler

from glidepath._budget import go_on
from glidepath._glide import Glide
from glidepath.torch._agreement import Agreement


class GlideScheduler(Scheduler):
    """A scheduler of timm's whose budget is one of Glide's: each step_update() is an update.

    Takes the place of what create_scheduler_v2 returns. Groups keep their own base rates, and timm's lr_scale. `done`
    says when the budget has ended: a loop over epochs is left there.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        budget: str,
        schedule: str = "linear",
        *,
        steps_per_epoch: int | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.glide = Glide(budget, schedule, steps_per_epoch=steps_per_epoch, clock=clock)
        self._agreement: Agreement | None = None
        super().__init__(optimizer, param_group_field="lr", t_in_epochs=False, initialize=True)
        self.update_groups(self._values())

    @property
    def done(self) -> bool:
        """Whether the budget has ended: no further update belongs to it."""
        return self.glide.done

    def _values(self) -> list[float]:
        return [base * self.glide.factor for base in self.base_values]

    def _get_lr(self, t: int) -> list[float]:
        return self._values()

    def step(self, epoch: int, metric: Any = None) -> None:
        """Epochs alone change nothing."""

    def step_update(self, num_updates: int, metric: Any = None) -> None:
        """An update has been made."""
        self.glide.update()
        if self.glide.by_clock:
            self._agreement = self._agreement or Agreement()
            self._agreement.follow(self.glide)
        self.update_groups(self._values())

    def state_dict(self) -> dict[str, Any]:
        return {"glide": self.glide.state_dict(), "base_values": list(self.base_values)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        go_on(self.glide, state_dict["glide"])
        self.base_values = list(state_dict["base_values"])
        self.update_groups(self._values())
