"""GlideCallback in the real Keras, on PyTorch."""

from __future__ import annotations

import os
import time
import warnings

import pytest

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
keras = pytest.importorskip("keras")

import numpy  # noqa: E402

import glidepath  # noqa: E402
from glidepath.keras import GlideCallback  # noqa: E402


class Watch(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))


def make_model(learning_rate=0.1):
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), loss="mse")
    return model


X = numpy.linspace(0, 1, 64, dtype="float32")[:, None]


def fit(model, *callbacks, **options):
    watch = Watch()
    return watch, model.fit(
        X, X, batch_size=8, verbose=0, callbacks=[*callbacks, watch], **{"epochs": 10**6, **options}
    )


@pytest.mark.parametrize(("budget", "updates"), [("20it", 20), ("1.5ep", 12), ("3it", 3)])
def test_budgets_in_updates(budget: str, updates: int) -> None:
    watch, _ = fit(make_model(), GlideCallback(budget))
    assert watch.rates == pytest.approx([0.1 * (1 - step / updates) for step in range(updates)], rel=1e-5)


# keras #1625: a time limit.
def test_a_budget_in_time_ends_in_time() -> None:
    begun = time.monotonic()
    watch, _ = fit(make_model(), GlideCallback("4s"), validation_data=(X, X))
    assert time.monotonic() - begun == pytest.approx(4, abs=2)
    assert watch.rates[0] == pytest.approx(0.1) and watch.rates[-1] < 0.1 * 0.02
    assert watch.rates == sorted(watch.rates, reverse=True)


def test_resumed_with_another_budget_and_ended_too_early() -> None:
    first = GlideCallback("16it")
    with pytest.warns(UserWarning, match="fit ended before its budget 16it, at progress 0.500: give more epochs"):
        fit(make_model(), first, epochs=1)
    second = GlideCallback("40it")
    second.load_state_dict(first.state_dict())
    with pytest.warns(UserWarning, match="budget 16it -> 40it at update 8"):
        watch, _ = fit(make_model(), second)
    assert watch.rates == pytest.approx([0.05 * (1 - step / 32) for step in range(32)], rel=1e-5)
    again = GlideCallback("16it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_model()
        fit(model, again, epochs=1)
        watch, _ = fit(model, again)  # the same callback goes on
    assert watch.rates == pytest.approx([0.1 * (1 - step / 16) for step in range(8, 16)], rel=1e-5)


def test_what_it_cannot_work_with_is_told() -> None:
    with pytest.raises(glidepath.InputError, match='budget "soon"'):
        GlideCallback("soon")
    model = make_model(keras.optimizers.schedules.CosineDecay(0.1, 100))
    with pytest.raises(glidepath.InputError, match="LearningRateSchedule"):
        fit(model, GlideCallback("5it"))
    with pytest.raises(glidepath.InputError, match="not of a GlideCallback"):
        GlideCallback("5it").load_state_dict({})
