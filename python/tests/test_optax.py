"""Schedules and clocks in the real optax."""

from __future__ import annotations

import os
import time

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import glidepath  # noqa: E402
import glidepath.optax  # noqa: E402


def test_a_schedule_is_optaxs_own() -> None:
    ours = glidepath.optax.schedule("linear", updates=50, base_lr=0.1)
    theirs = optax.linear_schedule(0.1, 0.0, 50)
    cosine, cosine_of_optax = glidepath.optax.schedule("cosine", updates=50), optax.cosine_decay_schedule(1.0, 50)
    for step in (0, 1, 25, 49, 50, 80):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), abs=1e-7)
        assert float(jax.jit(cosine)(step)) == pytest.approx(float(cosine_of_optax(step)), abs=1e-6)
    params = jax.numpy.ones(3)
    optimizer = optax.sgd(ours)
    state = optimizer.init(params)
    update = jax.jit(optimizer.update)
    for step in range(3):
        updates, state = update(jax.numpy.ones(3), state, params)
        assert float(updates[0]) == pytest.approx(-0.1 * (1 - step / 50))


def test_the_clock_sets_the_rate_of_a_jitted_update() -> None:
    optimizer = glidepath.optax.with_rate(optax.sgd, momentum=0.0)
    params = jax.numpy.ones(2)
    state = optimizer.init(params)
    traced = []

    @jax.jit
    def update(params, state):
        traced.append(1)
        updates, state = optimizer.update(jax.numpy.ones(2), state, params)
        return optax.apply_updates(params, updates), state, updates

    glide = glidepath.Glide("1.5s", base_lr=0.1)
    rates = []
    for _ in glide.batches([1, 2, 3]):
        state = glidepath.optax.set_rate(state, glide.lr)
        params, state, updates = update(params, state)
        rates.append(-float(updates[0]))
        time.sleep(0.01)
        glide.update()
    assert rates[0] == pytest.approx(0.1) and rates[-1] < 0.1 * 0.02
    assert len(traced) == 1
    with pytest.raises(glidepath.InputError, match="with_rate"):
        glidepath.optax.set_rate(optax.sgd(0.1).init(params), 0.1)
