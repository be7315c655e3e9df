"""GlideScheduler beside timm's own schedulers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from timm.scheduler import CosineLRScheduler  # noqa: E402

from glidepath.timm import GlideScheduler  # noqa: E402


def make_optimizer():
    first, second = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    return torch.optim.SGD([{"params": [first]}, {"params": [second], "lr": 0.02}], lr=0.1)


# pytorch-image-models #1242: never reaches lr_min, or drops where the warm-up ends.
def test_rates_are_timms_and_land() -> None:
    ours, theirs = make_optimizer(), make_optimizer()
    scheduler = GlideScheduler(ours, "50it", "cosine")
    their_scheduler = CosineLRScheduler(theirs, t_initial=50, t_in_epochs=False)
    for update in range(50):
        assert not scheduler.done
        for a, b in zip(ours.param_groups, theirs.param_groups):
            assert a["lr"] == pytest.approx(b["lr"], abs=1e-9)
        scheduler.step_update(update + 1)
        their_scheduler.step_update(update + 1)
        scheduler.step(update // 10)
    assert scheduler.done and [group["lr"] for group in ours.param_groups] == [0, 0]


def test_goes_on_and_takes_another_budget() -> None:
    first = make_optimizer()
    scheduler = GlideScheduler(first, "100it")
    for update in range(50):
        scheduler.step_update(update + 1)
    second = make_optimizer()
    again = GlideScheduler(second, "200it")
    with pytest.warns(UserWarning, match="budget 100it -> 200it"):
        again.load_state_dict(scheduler.state_dict())
    assert [group["lr"] for group in second.param_groups] == pytest.approx([0.05, 0.01])


def test_the_clock(hand) -> None:
    optimizer = make_optimizer()
    scheduler = GlideScheduler(optimizer, "60s", clock=hand)
    last, update = 0.1, 0
    while not scheduler.done:
        last = optimizer.param_groups[0]["lr"]
        hand.now += 0.05
        update += 1
        scheduler.step_update(update)
    assert last < 0.002 and hand.now - 1000 == pytest.approx(60, abs=2)
