"""GradNorm: the norm of the full gradient, from the gradients that training computes anyway."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Callable

import torch

from glidepath._core import GradientPairs, GradNormEstimate
from glidepath._errors import InputError


class GradNorm:
    """Estimates |g*|, the norm of the gradient of the mean loss over all training examples, without computing it.

    Pairs of consecutive batches of one epoch share no example, so that the inner product of their gradients is an
    estimate of |g*|^2 but for two terms, both of which are taken out: of drawing without replacement, and of the step
    between the two. The second needs, at every 256th update, the next batch's loss before the step (`peek`).
    The derivation is in include/glidepath/online_gradient.h; |g*| goes to zero with the learning rate, which is what the
    paper explains budgets with (Li, Yumer, Ramanan, ICLR 2020, section 5).

    model            a module, or its parameters
    examples         training examples, N
    steps_per_epoch  updates in an epoch: no pair crosses from one to the next
    stride           updates from one pair to the next, 2 or more: fewer pairs cost less
    peek_every       updates from one peek to the next

    grad_norm = GradNorm(model, examples=50_000, steps_per_epoch=391)
    for batch in loader:
        loss = loss_of(batch); loss.backward()
        grad_norm.observe(batch_size=128, lr=lr, peek=lambda: loss_of(next_batch))
        optimizer.step(); optimizer.zero_grad()
    print(grad_norm.estimate())     # norm, low, high; then grad_norm.start_window()

    Gradients are taken as they stand in .grad: observe before they are clipped, and after they are reduced over
    processes and unscaled. One copy of the gradients is kept.
    """

    def __init__(
        self,
        model: torch.nn.Module | Iterable[torch.nn.Parameter],
        *,
        examples: int,
        steps_per_epoch: int,
        stride: int = 2,
        peek_every: int = 256,
    ) -> None:
        for name, value, least in (
            ("examples", examples, 1),
            ("steps_per_epoch", steps_per_epoch, 1),
            ("stride", stride, 2),
            ("peek_every", peek_every, 1),
        ):
            if value < least:
                raise InputError(f"{name} {value}: must be {least} or more")
        self._module = model if isinstance(model, torch.nn.Module) else None
        parameters = model.parameters() if isinstance(model, torch.nn.Module) else model
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        if not self._parameters:
            raise InputError("the model has no parameter that is trained")
        self._examples, self._steps_per_epoch = examples, steps_per_epoch
        self._stride, self._peek_every = stride, peek_every
        self._pairs = GradientPairs(examples)
        self._step = 0
        self._peek_at = 0
        self._first: list[torch.Tensor] | None = None
        self._first_batch, self._first_squared, self._first_lr = 0.0, 0.0, 0.0
        self._peeked: float | None = None

    def observe(self, *, batch_size: int, lr: float, peek: Callable[[], torch.Tensor] | None = None) -> None:
        """Once an update, between backward() and optimizer.step(): the gradients are those of a batch's mean loss.

        `lr` is the rate of the step to come. `peek` gives the mean loss of the next update's batch at the present
        weights; it is called seldom, its gradients leave .grad alone, and batch norm's running statistics are put back.
        """
        step, self._step = self._step, self._step + 1
        place = step % self._steps_per_epoch
        begins = place % self._stride == 0 and place + 1 < self._steps_per_epoch
        if self._first is None and not begins:
            return
        gradients = self._gradients()
        if self._first is not None:
            inner = _inner(self._first, gradients)
            squared = (self._first_squared + _inner(gradients, gradients)) / 2
            if self._peeked is not None:
                self._pairs.add_peek((self._peeked - inner) / self._first_lr if self._first_lr > 0 else 0.0)
            self._pairs.add_pair(inner, squared, (1 / self._first_batch + 1 / batch_size) / 2, self._first_lr)
            self._first = None
        if not begins:
            return
        self._first = [gradient.clone() for gradient in gradients]
        self._first_batch, self._first_lr = float(batch_size), float(lr)
        self._first_squared = _inner(gradients, gradients)
        self._peeked = None
        if peek is not None and step >= self._peek_at:
            self._peek_at = step + self._peek_every
            self._peeked = _inner(self._first, self._gradients_of(peek))

    def estimate(self) -> GradNormEstimate:
        """Of the window so far: norm, low and high (one standard error), noise_scale, pairs, peeks."""
        return self._pairs.estimate()

    def start_window(self) -> None:
        """Forgets the pairs so far; the last few peeks are kept, as they change little."""
        self._pairs.start_window()

    def exact(
        self,
        batches: Iterable[Any],
        loss: Callable[[Any], torch.Tensor],
        examples: Callable[[Any], int],
        *,
        weight_decay: float = 0.0,
    ) -> float:
        """The norm itself: a forward and backward pass of every batch, which is to be all of the training set.

        `loss` is the mean loss of a batch, `examples` how many it has. With `weight_decay` the gradient is that of the
        loss and decay/2 |w|^2. The module's mode is the caller's choice; .grad and running statistics stay as they are.
        """
        total = [torch.zeros_like(parameter, dtype=torch.float64) for parameter in self._parameters]
        count = 0
        for batch in batches:
            size = examples(batch)
            count += size
            for sum_, gradient in zip(total, self._gradients_of(functools.partial(loss, batch))):
                sum_.add_(gradient.double(), alpha=size)
        if count == 0:
            raise InputError("exact: no batch was given")
        with torch.no_grad():
            for sum_, parameter in zip(total, self._parameters):
                sum_.div_(count).add_(parameter.double(), alpha=weight_decay)
        return float(sum(float(sum_.square().sum()) for sum_ in total) ** 0.5)

    def state_dict(self) -> dict[str, Any]:
        """All that a checkpoint must keep; a pair that is half complete is begun anew."""
        pairs, peeks, older_peeks = self._pairs.state()
        return {
            "pairs": pairs,
            "peeks": peeks,
            "older_peeks": older_peeks,
            "step": self._step,
            "peek_at": self._peek_at,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken."""
        try:
            self._pairs.restore(state_dict["pairs"], state_dict["peeks"], state_dict["older_peeks"])
            self._step, self._peek_at = int(state_dict["step"]), int(state_dict["peek_at"])
        except (KeyError, TypeError):
            raise InputError("GradNorm's state: is not of a GradNorm, or is damaged") from None
        self._first = None

    def _gradients(self) -> list[torch.Tensor]:
        with torch.no_grad():
            return [
                parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
                for parameter in self._parameters
            ]

    def _gradients_of(self, loss: Callable[[], torch.Tensor]) -> list[torch.Tensor]:
        buffers = [] if self._module is None else [(buffer, buffer.clone()) for buffer in self._module.buffers()]
        with torch.enable_grad():
            found = torch.autograd.grad(loss(), self._parameters, allow_unused=True)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
            return [
                torch.zeros_like(parameter) if gradient is None else gradient
                for gradient, parameter in zip(found, self._parameters)
            ]


def _inner(a: list[torch.Tensor], b: list[torch.Tensor]) -> float:
    with torch.no_grad():
        # Added in float64: of millions of products float32 would lose what is looked for.
        return float(torch.stack([torch.sum(x * y, dtype=torch.float64) for x, y in zip(a, b)]).sum())
