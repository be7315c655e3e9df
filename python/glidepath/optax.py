"""Schedules and budgets for optax (JAX)."""

from __future__ import annotations

from typing import Any, Callable

import jax.numpy as jnp
import optax

from glidepath._core import learning_rates
from glidepath._errors import InputError


def schedule(
    text: str, updates: int, base_lr: float = 1.0, *, steps_per_epoch: int | None = None
) -> Callable[[Any], Any]:
    """A schedule of optax's: a function of the count of updates, traced by jit.

    Past the end it stays at what the last update would be followed by, f(1) * base_lr: 0 for those that land.

    optimizer = optax.sgd(glidepath.optax.schedule("linear(warmup=5%)", updates=10_000, base_lr=0.1))
    """
    from glidepath._core import schedule as parse

    rates = learning_rates(text, updates=updates, base_lr=base_lr, steps_per_epoch=steps_per_epoch)
    end = base_lr * parse(text, updates=updates, steps_per_epoch=steps_per_epoch, base_lr=base_lr)(1.0)
    table = jnp.asarray([*rates, end], dtype=jnp.float32)
    return lambda count: table[jnp.clip(count, 0, updates)]


def with_rate(make_optimizer: Callable[..., Any], **options: Any) -> Any:
    """An optimizer whose learning rate is a part of its state, for a Glide to set; see set_rate.

    optimizer = glidepath.optax.with_rate(optax.sgd, momentum=0.9)
    glide = glidepath.Glide("20m", base_lr=0.1)
    for batch in glide.batches(loader):
        state = glidepath.optax.set_rate(state, glide.lr)
        params, state = update(params, state, batch)      # jitted; the rate is no constant of it
        glide.update()
    """
    return optax.inject_hyperparams(make_optimizer)(learning_rate=0.0, **options)


def set_rate(state: Any, lr: float) -> Any:
    """The state of an optimizer of with_rate, with this learning rate."""
    hyperparams = getattr(state, "hyperparams", None)
    if hyperparams is None or "learning_rate" not in hyperparams:
        raise InputError("set_rate: this state has no learning rate in it; make the optimizer by with_rate")
    rate = jnp.asarray(lr, dtype=jnp.asarray(hyperparams["learning_rate"]).dtype)
    return state._replace(hyperparams={**hyperparams, "learning_rate": rate})
