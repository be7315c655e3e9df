"""Glide from Python: the promises of the clock on machines of the test's own, resuming, and what is refused."""

from __future__ import annotations

import json
import math
import time

import pytest

import glidepath
from glidepath import Glide


def train(glide: Glide, hand, seconds_of_update, between=lambda step: 0.0) -> list[float]:
    factors = []
    while not glide.done:
        factors.append(glide.factor)
        hand.now += seconds_of_update(hand.now - 1000)
        glide.update()
        hand.now += between(glide.step)
    return factors


@pytest.mark.parametrize(
    "machine",
    [
        lambda now: 0.05,
        lambda now: 0.15 if 20 < now < 40 else 0.05,  # throttled to a third
        lambda now: 8.0 if now < 1 else 0.05,  # compiles at first
        lambda now: 0.05 * (1.5 + math.sin(now * 7)),
    ],
)
def test_lands_when_the_time_is_up(hand, machine) -> None:
    glide = Glide("60s", base_lr=0.1, clock=hand)
    glide.keep_back(1.5)
    factors = train(glide, hand, machine, lambda step: 1.5 if step % 300 == 0 else 0.0)
    assert hand.now + 1.5 - 1000 == pytest.approx(60, abs=2)
    assert factors[0] == 1 and factors[-1] < 0.02
    assert factors == sorted(factors, reverse=True)
    assert max(a - b for a, b in zip(factors, factors[1:])) < 0.0201
    assert glide.done and glide.lr == 0 and glide.updates_past_the_end == 0


def test_on_the_real_clock() -> None:
    begun = time.monotonic()
    glide = Glide("1.5s")
    last = 1.0
    while not glide.done:
        last = glide.factor
        time.sleep(0.01)
        glide.update()
    assert time.monotonic() - begun < 3.5
    assert last < 0.02


def test_batches_end_with_the_budget() -> None:
    glide = Glide("7it", base_lr=1.0)
    seen = []
    for batch in glide.batches([1, 2, 3]):
        seen.append((batch, glide.step))
        glide.update()
    assert seen == [(1, 0), (2, 1), (3, 2), (1, 3), (2, 4), (3, 5), (1, 6)]
    assert list(glide.batches([1, 2])) == []


def test_batches_with_gradients_accumulated() -> None:
    glide = Glide("4it")
    seen = []
    for i, batch in enumerate(glide.batches(["a", "b", "c"])):
        seen.append(batch)
        if i % 2 == 1:
            glide.update()
    assert "".join(seen) == "abcabcab"


def test_batches_that_cannot_end_are_told() -> None:
    with pytest.raises(glidepath.InputError, match="no update.. in a whole pass of 3 batches"):
        for _ in Glide("5it").batches([1, 2, 3]):
            pass
    with pytest.raises(glidepath.InputError, match="the loader gave no batch$"):
        next(iter(Glide("5it").batches([])))
    glide = Glide("5it")
    with pytest.raises(glidepath.InputError, match="not a generator"):
        for _ in glide.batches(x for x in [1, 2]):
            glide.update()


def test_a_distributed_sampler_is_told_its_epoch() -> None:
    class Sampler:
        def __init__(self) -> None:
            self.epochs: list[int] = []

        def set_epoch(self, epoch: int) -> None:
            self.epochs.append(epoch)

    class Loader(list):  # type: ignore[type-arg]
        sampler = Sampler()

    loader = Loader([1, 2])
    glide = Glide("6it", steps_per_epoch=2)
    for _ in glide.batches(loader):
        glide.update()
    assert loader.sampler.epochs == [0, 1, 2]


def test_goes_on_from_a_state_that_went_through_json(hand) -> None:
    whole, first = Glide("100it", "cosine"), Glide("100it", "cosine")
    for _ in range(37):
        whole.update()
        first.update()
    second = Glide("100it", "cosine")
    assert second.load_state_dict(json.loads(json.dumps(first.state_dict()))) == ""
    while not whole.done:
        assert second.lr == whole.lr and not second.done
        whole.update()
        second.update()
    assert second.done


def test_a_budget_in_time_goes_on_with_what_is_left(hand) -> None:
    first = Glide("60s", clock=hand)
    for _ in range(600):
        hand.now += 0.05
        first.update()
    state, factor = first.state_dict(), first.factor
    hand.now += 86400
    second = Glide("60s", clock=hand)
    second.load_state_dict(state)
    assert second.factor == factor
    factors = train(second, hand, lambda now: 0.05)
    assert factors[-1] < 0.02 and second.seconds_spent == pytest.approx(60, abs=2)


# transformers #4383 and #23099, xtuner #211, open_clip #413, composer #56: a longer run on resume.
@pytest.mark.parametrize("asked", ["400it", "60it", "110s"])
def test_another_budget_on_resume_goes_on_from_the_rate_that_it_has(hand, asked: str) -> None:
    first = Glide("100it", base_lr=0.1, clock=hand)
    for _ in range(50):
        hand.now += 1
        first.update()
    second = Glide(asked, base_lr=0.1, clock=hand)
    told = second.load_state_dict(first.state_dict())
    assert told.startswith(f"budget 100it -> {asked} at update 50: lr goes on from 0.05")
    assert second.lr == pytest.approx(0.05)
    last = second.lr
    while not second.done:
        assert second.lr <= last
        last = second.lr
        hand.now += 1
        second.update()
    assert last < 0.05 * 0.12 and second.lr == 0


def test_what_cannot_be_is_refused() -> None:
    for arguments, message in (
        (("soon",), 'budget "soon"'),
        (("3ep",), "epoch"),
        (("20m", "lineal"), 'schedule "lineal"'),
        (("20m", "linear", 0.0), "base_lr 0"),
        (("20m", "linear", float("nan")), "base_lr nan"),
    ):
        with pytest.raises(glidepath.InputError, match=message):
            Glide(*arguments)
    with pytest.raises(glidepath.InputError, match="steps_per_epoch 0"):
        Glide("3ep", steps_per_epoch=0)
    with pytest.raises(glidepath.InputError, match='full "all"'):
        Glide("10%", full="all")
    with pytest.raises(TypeError):
        Glide(20)  # type: ignore[arg-type]
    glide = Glide("100it")
    state = glide.state_dict()
    for damage in ({"step": -1}, {"seconds": "1"}, {"version": 2}, {"budget": 5}, {"changes": [1]}, {"rate": None}):
        with pytest.raises(glidepath.InputError, match="Glide's state"):
            glide.load_state_dict({**state, **damage})
    with pytest.raises(glidepath.InputError, match="has no"):
        glide.load_state_dict({})
    assert glide.lr == 1 and glide.step == 0


def test_errors_are_one_family() -> None:
    assert issubclass(glidepath.InputError, ValueError) and issubclass(glidepath.InputError, glidepath.Error)
    assert issubclass(glidepath.RunError, RuntimeError)
    assert glidepath.InputError.__module__ == "glidepath"
