"""Glide: a budget, a clock and a schedule in one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Callable, TypeVar

from glidepath._core import GlideBase
from glidepath._errors import InputError

Batch = TypeVar("Batch")


class Glide(GlideBase):
    """The learning rate of your own loop under a budget, and whether there is another update.

    budget           "500it" (updates), "30ep", "10%" (of `full`), "20m", "1h30m", "until 2026-12-01T06:00", or "slurm":
                     until the end of the Slurm job that this process is in
    schedule         a text such as "linear(warmup=5%)" or "rex" (glidepath.schedules() lists them)
    base_lr          what the schedule's factor in [0, 1] is multiplied by
    steps_per_epoch  updates in an epoch: for budgets and schedules that speak of epochs or percent
    full             what 100 % is, such as "200ep" (the default) or "2h"
    clock            seconds on a clock that never goes back; the default goes on while the machine sleeps

    Time is counted from the construction, and everything between updates (loading, evaluations) is a part of it. The
    rate follows the time spent, whatever the machine's speed does: the last update has a factor below 0.02 (linear), and
    ends within 1 % or 2 seconds of the budget. Not for threads: one loop, one Glide.

    >>> glide = Glide("200it", "linear(warmup=10%)", base_lr=0.4)
    >>> glide
    Glide('200it', 'linear(warmup=10%)', base_lr=0.4): update 0 of 200, lr 0.04
    >>> Glide("soon")
    Traceback (most recent call last):
      ...
    glidepath.InputError: budget "soon": "soon" where a number should be; a budget is a number and a unit, for example 500it, 30ep, 10% or 1h30m

    Raises InputError for texts that say nothing, and where a value is missing that they need.
    """

    def __init__(
        self,
        budget: str,
        schedule: str = "linear",
        base_lr: float = 1.0,
        *,
        steps_per_epoch: int | None = None,
        full: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(budget, schedule, base_lr, steps_per_epoch=steps_per_epoch, full=full, clock=clock)
        self.base_lr = base_lr
        self._steps_per_epoch = steps_per_epoch

    def batches(self, loader: Iterable[Batch]) -> Iterator[Batch]:
        """Goes through the loader again and again, and ends when the budget does.

        Tells a DistributedSampler its epoch. The loop's body calls update() after each optimizer step: once a batch, or
        once in several where gradients are accumulated. Raises InputError for a loader without batches, and after a
        whole pass in which update() was not called, which would go on for ever.

        >>> glide = Glide("5it")
        >>> seen = []
        >>> for batch in glide.batches(["a", "b"]):
        ...     seen.append(batch)
        ...     glide.update()
        >>> "".join(seen)
        'ababa'
        """
        begun = self.step > 0
        passes = 0
        while not self.done:
            _set_epoch(loader, passes if self._steps_per_epoch is None else self.step // self._steps_per_epoch)
            step, count = self.step, 0
            for batch in loader:
                if self.done:
                    return
                if not begun:
                    self.begin()
                    begun = True
                count += 1
                yield batch
            if count == 0:
                raise InputError(
                    "the loader gave no batch"
                    + (" the second time; give one that can be gone through again, not a generator" if passes else "")
                )
            if self.step == step:
                raise InputError(f"no update() in a whole pass of {count} batches; call it after each optimizer step")
            passes += 1

    def __repr__(self) -> str:
        place = f"update {self.step}"
        if self.updates:
            place += f" of {self.updates}"
        if self.by_clock:
            place += f", {self.seconds_left:.0f} s left"
        return f"Glide({self.budget!r}, {self.schedule!r}, base_lr={self.base_lr:g}): {place}, lr {self.lr:.6g}"


def _set_epoch(loader: Any, epoch: int) -> None:
    for name in ("sampler", "batch_sampler"):
        set_epoch = getattr(getattr(loader, name, None), "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)
