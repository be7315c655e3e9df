"""GlideLR against PyTorch's own schedulers, and in what users of PyTorch do with a scheduler."""

from __future__ import annotations

import copy
import gc
import io
import json
import os
import pathlib
import pickle
import subprocess
import sys
import types
import warnings
import weakref

import pytest

torch = pytest.importorskip("torch")

import glidepath  # noqa: E402
from glidepath.torch import GlideLR  # noqa: E402

IS_OLD = not hasattr(torch.optim.Optimizer, "register_step_post_hook")  # PyTorch before 2.0


def make_optimizer(cls=None, **options):
    first, second = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    groups = [{"params": [first], "lr": 0.1}, {"params": [second], "lr": 0.02}]
    return (cls or torch.optim.SGD)(groups, **{"lr": 0.1, **options})


def rates(optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimizer.param_groups]


def run(optimizer, scheduler, updates: int) -> list[list[float]]:
    seen = []
    for _ in range(updates):
        seen.append(rates(optimizer))
        optimizer.step()
        scheduler.step()
    return seen


# Their closed forms, written by others.
@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("linear", lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: 1 - step / 50)),
        ("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 50)),
        ("const", lambda o: torch.optim.lr_scheduler.ConstantLR(o, 1.0)),
        ("step(0.5,0.8)", lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [25, 40], 0.1)),
    ],
)
def test_rates_are_those_of_pytorchs_schedulers(text: str, make) -> None:
    ours, theirs = make_optimizer(), make_optimizer()
    found = run(ours, GlideLR(ours, "50it", text), 50)
    for step, (a, b) in enumerate(zip(found, run(theirs, make(theirs), 50))):
        assert a == pytest.approx(b, abs=1e-9), step


def test_groups_keep_their_own_rates_and_last_lr_is_told() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "4it")
    assert scheduler.get_last_lr() == [0.1, 0.02]
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == rates(optimizer) == pytest.approx([0.075, 0.015])
    assert isinstance(scheduler, torch.optim.lr_scheduler._LRScheduler)


def test_past_the_end_it_warns_once_and_never_raises() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "3it")
    run(optimizer, scheduler, 3)
    assert scheduler.done and rates(optimizer) == [0, 0]
    with pytest.warns(UserWarning, match="the budget 3it has ended, after 3 updates"):
        run(optimizer, scheduler, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(optimizer, scheduler, 5)
    assert rates(optimizer) == [0, 0]


def test_the_clock(hand) -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "60s", clock=hand)
    scheduler.keep_back(1)
    last, updates = 1.0, 0
    while not scheduler.done:
        last = optimizer.param_groups[0]["lr"] / 0.1
        hand.now += 0.15 if 20 < hand.now - 1000 < 40 else 0.05
        optimizer.step()
        scheduler.step()
        updates += 1
    assert last < 0.02 and hand.now - 1000 == pytest.approx(59, abs=2)
    assert scheduler.glide.step == updates
    assert rates(optimizer) == [0, 0]


# transformers #26827, accelerate #2926: stepped once by each of N processes.
def test_several_steps_of_the_scheduler_for_one_of_the_optimizer_are_one() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    for update in range(10):
        assert rates(optimizer)[0] == pytest.approx(0.1 * (1 - update / 10))
        optimizer.step()
        for _ in range(4):
            scheduler.step()
    assert scheduler.glide.step == 10 and scheduler.done


def test_an_update_that_the_scaler_skipped_is_none() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    run(optimizer, scheduler, 2)
    scheduler.step()
    scheduler.step()
    assert scheduler.glide.step == 2


def test_a_step_an_epoch_counts_the_epochs_updates() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "3ep", steps_per_epoch=5)
    seen = []
    for _ in range(3):
        seen.append(rates(optimizer)[0])
        for _ in range(5):
            optimizer.step()
        scheduler.step()
    assert seen == pytest.approx([0.1, 0.1 * 2 / 3, 0.1 / 3])
    assert scheduler.done


def test_goes_on_bit_for_bit_from_a_saved_file() -> None:
    def trained(parts: list[int]) -> list[list[float]]:
        seen, state = [], None
        for part in parts:
            optimizer = make_optimizer(momentum=0.9)
            scheduler = GlideLR(optimizer, "30it", "cosine(warmup=10%)")
            if state is not None:
                state.seek(0)
                saved = torch.load(state)
                optimizer.load_state_dict(saved["optimizer"])
                scheduler.load_state_dict(saved["scheduler"])
            seen += run(optimizer, scheduler, part)
            state = io.BytesIO()
            torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, state)
        return seen

    assert trained([30]) == trained([11, 0, 19])


def test_its_state_is_numbers_and_texts() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "30it")
    run(optimizer, scheduler, 7)
    state = scheduler.state_dict()
    assert json.loads(json.dumps(state)) == state
    with pytest.raises(glidepath.InputError, match="not of a GlideLR"):
        scheduler.load_state_dict({"last_epoch": 5})
    other = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    with pytest.raises(glidepath.InputError, match="2 base rates, and the optimizer has 1"):
        GlideLR(other, "30it").load_state_dict(scheduler.state_dict())


# transformers #4383: 5 epochs, resumed with 10; PyTorch #60265: a jump at the resume point.
def test_a_longer_budget_on_resume_goes_on_from_the_rate_that_it_has() -> None:
    first = make_optimizer()
    scheduler = GlideLR(first, "100it")
    run(first, scheduler, 50)
    second = make_optimizer()
    longer = GlideLR(second, "200it")
    second.load_state_dict(first.state_dict())
    with pytest.warns(UserWarning, match="budget 100it -> 200it at update 50: lr goes on from"):
        longer.load_state_dict(scheduler.state_dict())
    assert rates(second) == pytest.approx([0.05, 0.01])
    seen = run(second, longer, 150)
    assert seen == sorted(seen, reverse=True)
    assert longer.done and rates(second) == [0, 0]


def test_a_scheduler_made_after_the_optimizer_was_loaded() -> None:
    first = make_optimizer()
    scheduler = GlideLR(first, "100it")
    run(first, scheduler, 90)
    second = make_optimizer()
    second.load_state_dict(first.state_dict())
    again = GlideLR(second, "100it")
    again.load_state_dict(scheduler.state_dict())
    assert rates(second) == rates(first) == pytest.approx([0.01, 0.002])
    assert again.base_lrs == [0.1, 0.02]


# PyTorch #103444: the way to put a schedule at step n.
def test_last_epoch_and_step_n_go_to_an_update() -> None:
    for place in ("last_epoch", "step"):
        optimizer = make_optimizer()
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        scheduler = GlideLR(optimizer, "100it", **({"last_epoch": 29} if place == "last_epoch" else {}))
        if place == "step":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scheduler.step(30)
        assert rates(optimizer) == pytest.approx([0.07, 0.014])
        run(optimizer, scheduler, 10)
        assert rates(optimizer) == pytest.approx([0.06, 0.012])
    with pytest.raises(glidepath.InputError, match="budget in time"):
        GlideLR(make_optimizer(), "20m").step(3)


@pytest.mark.parametrize(("cls", "options"), [("SGD", {"momentum": 0.9}), ("AdamW", {})])
def test_momentum_and_weight_decay_follow(cls: str, options: dict[str, float]) -> None:
    optimizer = make_optimizer(getattr(torch.optim, cls), weight_decay=0.1, **options)
    scheduler = GlideLR(optimizer, "10it", momentum=(0.85, 0.95), weight_decay_follows=True)

    def momentum() -> float:
        group = optimizer.param_groups[0]
        return group["betas"][0] if "betas" in group else group["momentum"]

    assert momentum() == pytest.approx(0.85) and optimizer.param_groups[0]["weight_decay"] == 0.1
    run(optimizer, scheduler, 5)
    assert momentum() == pytest.approx(0.9) and optimizer.param_groups[1]["weight_decay"] == pytest.approx(0.05)
    state = scheduler.state_dict()
    again = GlideLR(optimizer, "10it", momentum=(0.85, 0.95), weight_decay_follows=True)
    again.load_state_dict(state)
    run(optimizer, again, 5)
    assert momentum() == pytest.approx(0.95) and optimizer.param_groups[0]["weight_decay"] == 0
    with pytest.raises(glidepath.InputError, match="momentum"):
        GlideLR(make_optimizer(), "10it", momentum=(1.5, 0.9))


def test_replanned_on_the_way() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "100it")
    run(optimizer, scheduler, 50)
    assert "lr goes on from 0.5, linear to 0 over 10 updates" in scheduler.replan("60it")
    assert len(run(optimizer, scheduler, 10)) == 10 and scheduler.done


def test_follows_a_loss() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "100it", "plateau(patience=10%)")
    for _ in range(30):
        scheduler.observe_loss(1.0)
        optimizer.step()
        scheduler.step()
    assert rates(optimizer)[0] < 0.011


def test_a_rate_that_is_a_tensor_stays_that_tensor() -> None:
    if IS_OLD:
        pytest.skip("PyTorch before 2.0 takes no rates that are tensors")
    lr = torch.tensor(0.1)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))], lr=lr, foreach=False, capturable=False)
    scheduler = GlideLR(optimizer, "10it")
    run(optimizer, scheduler, 5)
    assert optimizer.param_groups[0]["lr"] is lr and float(lr) == pytest.approx(0.05)
    assert float(scheduler.get_last_lr()[0]) == pytest.approx(0.05)
    assert scheduler.get_last_lr()[0] is not lr
    GlideLR(optimizer, "10it").load_state_dict(scheduler.state_dict())


# What PyTorch asks of all its schedulers (test/optim/test_lrscheduler.py), in the same situations.
def test_the_wrong_order_is_warned_of_and_the_right_one_is_not() -> None:
    optimizer = make_optimizer()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler = GlideLR(optimizer, "35it")
        run(optimizer, scheduler, 35)
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "35it")
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()


def test_an_optimizers_step_that_was_overridden_is_warned_of_and_counted() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "4it")
    step = optimizer.step
    optimizer.step = types.MethodType(lambda self, *arguments: step(*arguments), optimizer)
    with pytest.warns(UserWarning, match="has been overridden"):
        run(optimizer, scheduler, 4)
    assert scheduler.glide.step == 4 and rates(optimizer) == [0, 0]


def test_the_same_epoch_has_the_same_rate() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    seen = []
    for _ in range(5):
        optimizer.step()
        with pytest.warns(UserWarning, match="epoch parameter"):
            scheduler.step(2)
        seen.append(rates(optimizer)[0])
    assert seen == [pytest.approx(0.08)] * 5


def test_resuming_by_last_epoch_needs_initial_rates() -> None:
    with pytest.raises(KeyError, match="initial_lr"):
        GlideLR(make_optimizer(), "10it", last_epoch=3)


def test_groups_that_are_added_later_are_left_alone() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    run(optimizer, scheduler, 2)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.5})
    run(optimizer, scheduler, 3)
    assert rates(optimizer) == pytest.approx([0.05, 0.01, 0.5])


# PyTorch's test_no_cyclic_references.
def test_nothing_keeps_it_alive() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    run(optimizer, scheduler, 2)
    alive = weakref.ref(scheduler)
    gc.collect()
    gc.disable()
    try:
        del scheduler
        assert alive() is None
    finally:
        gc.enable()


def test_copies_and_pickles_of_the_state() -> None:
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    run(optimizer, scheduler, 2)
    state = scheduler.state_dict()
    assert copy.deepcopy(state) == pickle.loads(pickle.dumps(state)) == state


def like_lambda(budget: int, tensors: bool):
    """Two optimizers of the same kind, and for each what makes a linear schedule: ours, and LambdaLR."""
    optimizers = make_optimizer(), make_optimizer()
    if tensors:
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = torch.tensor(group["lr"], dtype=torch.float64)
    return zip(
        optimizers,
        (
            lambda o: GlideLR(o, f"{budget}it"),
            lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: max(0, 1 - step / budget)),
        ),
    )


def sequential(optimizer, parts, milestones):
    return torch.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones)


def warmup(optimizer):
    return torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=4)


def decay(optimizer):
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)


def chained(*parts):
    return torch.optim.lr_scheduler.ChainedScheduler(list(parts))


IN_OTHERS = {
    "alone": lambda o, make: make(o),
    "second in a sequence": lambda o, make: sequential(o, [warmup(o), make(o)], [4]),
    "first in a sequence": lambda o, make: sequential(o, [make(o), decay(o)], [5]),
    "between": lambda o, make: sequential(o, [warmup(o), make(o), decay(o)], [4, 9]),
    "twice in a sequence": lambda o, make: sequential(o, [make(o), make(o)], [6]),
    "chained": lambda o, make: chained(make(o), decay(o)),
    "chained in a sequence": lambda o, make: sequential(o, [chained(make(o), decay(o)), decay(o)], [5]),
}


@pytest.mark.parametrize("tensors", [False, True])
@pytest.mark.parametrize("name", IN_OTHERS)
def test_in_pytorchs_containers_it_is_what_lambdalr_is(name: str, tensors: bool) -> None:
    """PyTorch: test_sequentiallr1 to 5, test_get_last_lr_sequentiallr, test_chained_lr1 to 5,
    test_chained_lr2_get_last_lr_before_step, test_sequentiallr_does_not_alias_lr_and_initial_lr, and
    test_sequentiallr_no_warnings: whatever a container makes of a scheduler, it makes of ours."""
    if (tensors or name == "chained in a sequence") and IS_OLD:
        pytest.skip("PyTorch before 2.0 takes no rates that are tensors, and no chain in a sequence")
    found = []
    for optimizer, make in like_lambda(12, tensors):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            scheduler = IN_OTHERS[name](optimizer, make)
            seen = [[float(lr) for lr in scheduler.get_last_lr()] if hasattr(scheduler, "_last_lr") else None]
            for _ in range(14):
                seen.append(rates(optimizer))
                optimizer.step()
                scheduler.step()
                seen.append([float(lr) for lr in scheduler.get_last_lr()])
        found.append((seen, [group["initial_lr"] for group in optimizer.param_groups]))
        texts = [str(each.message) for each in warned]
        if isinstance(scheduler, GlideLR):
            assert len(texts) == 1 and "has ended" in texts[0]  # which LambdaLR does not know
            texts = []
        found[-1] += (texts,)
    (ours, our_base, our_warnings), (theirs, their_base, their_warnings) = found
    for step, (a, b) in enumerate(zip(ours, theirs)):
        assert a == pytest.approx(b, abs=1e-12), step
    assert our_base == their_base
    ours_of_order = [text for text in our_warnings if "has ended" not in text]
    assert set(ours_of_order) <= set(their_warnings) and len(ours_of_order) <= len(their_warnings)


@pytest.mark.parametrize("others", [1, 2])
def test_beside_other_schedulers_on_one_optimizer(others: int) -> None:
    """PyTorch: test_compound_step_and_exp_lr and its kin: several schedulers, each stepped by hand."""
    found = []
    for optimizer, make in like_lambda(12, False):
        schedulers = [make(optimizer)] + [decay(optimizer) for _ in range(others)]
        seen = []
        for _ in range(12):
            seen.append(rates(optimizer))
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
        found.append(seen)
    for ours, theirs in zip(*found):
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_a_clocks_turn_in_a_sequence(hand) -> None:
    """A container that says where to begin says nothing new to a clock, and must not end the run."""
    optimizer = make_optimizer()
    parts = [warmup(optimizer), GlideLR(optimizer, "10s", clock=hand)]
    scheduler = sequential(optimizer, parts, [4])
    updates = 0
    while not parts[1].done:
        hand.now += 0.5
        optimizer.step()
        scheduler.step()
        updates += 1
    assert rates(optimizer) == [0, 0] and parts[1].glide.step == updates - 4 and 18 <= updates <= 20


def test_counts_and_last_epoch_are_those_of_every_scheduler() -> None:
    """PyTorch: what its tests read of a scheduler, step by step."""
    for optimizer, make in like_lambda(12, False):
        scheduler = make(optimizer)
        for step in range(12):
            assert (scheduler.last_epoch, scheduler._step_count) == (step, step + 1)
            optimizer.step()
            scheduler.step()


@pytest.mark.parametrize("last_epoch", [-1, 0, 4, 10])
def test_last_epoch_is_that_of_every_scheduler(last_epoch: int) -> None:
    """PyTorch: test_lr_scheduler_checkpoint: made anew over an optimizer that was loaded."""
    found = []
    for trained, make in like_lambda(12, False):
        make(trained)
        for group in trained.param_groups:
            assert "initial_lr" in group
        again = make_optimizer()
        again.load_state_dict(trained.state_dict())
        if isinstance(make(make_optimizer()), GlideLR):
            scheduler = GlideLR(again, "12it", last_epoch=last_epoch)
        else:
            scheduler = torch.optim.lr_scheduler.LambdaLR(again, lambda step: 1 - step / 12, last_epoch=last_epoch)
        seen = [(scheduler.last_epoch, *scheduler.get_last_lr())]
        again.step()
        scheduler.step()
        found.append([*seen, (scheduler.last_epoch, *scheduler.get_last_lr())])
    for ours, theirs in zip(*found):
        assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("overridden", [False, True])
@pytest.mark.parametrize("last_epoch", [-1, 10])
def test_the_wrong_order_is_warned_of_on_resume_too(last_epoch: int, overridden: bool) -> None:
    """PyTorch: test_old_pattern_warning_resuming, test_old_pattern_warning_with_overridden_optim_step."""
    optimizer = make_optimizer()
    for group in optimizer.param_groups:
        group["initial_lr"] = 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler = GlideLR(optimizer, "100it", last_epoch=last_epoch)
    if overridden:
        step = optimizer.step
        optimizer.step = types.MethodType(lambda self, *arguments: step(*arguments), optimizer)
    with pytest.warns(UserWarning, match="how-to-adjust-learning-rate"):
        for _ in range(35):
            scheduler.step()
            optimizer.step()


def test_nothing_is_left_of_the_optimizer_either() -> None:
    """PyTorch: test_no_cyclic_references."""
    optimizer = make_optimizer()
    scheduler = GlideLR(optimizer, "10it")
    del scheduler
    assert gc.get_referrers(optimizer) == []
    gc.collect()
    del optimizer
    assert gc.collect() == 0


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("tensor", [True, False])
def test_its_state_is_loaded_as_data_alone(hand, weights_only: bool, tensor: bool) -> None:
    """PyTorch: test_lr_scheduler_state_dict_load."""
    if (tensor or weights_only) and IS_OLD:
        pytest.skip("PyTorch before 2.0 takes no rates that are tensors, and no number for data")

    def made():
        lr = torch.tensor(0.25) if tensor else 0.25
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr)
        return optimizer, GlideLR(optimizer, "10it", "cosine", weight_decay_follows=True, clock=hand)

    optimizer, scheduler = made()
    run(optimizer, scheduler, 3)
    state = scheduler.state_dict()
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=weights_only)
    assert loaded == state
    again, other = made()
    other.load_state_dict(loaded)
    assert other.state_dict() == state and rates(again) == rates(optimizer)


def test_the_initial_rate_is_constant_and_nobody_elses() -> None:
    """PyTorch: test_constant_initial_lr: a rate that is a tensor is changed in place by its owner."""
    if IS_OLD:
        pytest.skip("PyTorch before 2.0 takes no rates that are tensors")
    lr = torch.tensor(0.1)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr)
    scheduler = GlideLR(optimizer, "10it")
    group = optimizer.param_groups[0]
    for _ in range(3):
        optimizer.step()
        scheduler.step()
        scheduler.get_last_lr()[0].mul_(7)  # nor are those that it tells
        lr.mul_(0.1)
        assert float(group["initial_lr"]) == pytest.approx(0.1) and float(scheduler.base_lrs[0]) == pytest.approx(0.1)
        assert scheduler.base_lrs[0] is not group["initial_lr"]
    optimizer.step()
    scheduler.step()
    assert rates(optimizer) == pytest.approx([0.06])


def test_two_processes_end_at_the_same_update(tmp_path: pathlib.Path) -> None:
    """Their clocks differ by far; both follow rank 0's."""
    program = tmp_path / "ranks.py"
    program.write_text(
        """
import sys, time, torch, torch.distributed as dist
from glidepath.torch import GlideLR
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
scheduler = GlideLR(optimizer, "1.5s", clock=lambda: time.monotonic() * (1 if rank == 0 else 1.7))
rates = []
while not scheduler.done:
    rates.append(optimizer.param_groups[0]["lr"])
    time.sleep(0.01)
    optimizer.step()
    scheduler.step()
print(rates)
"""
    )
    ranks = [
        subprocess.Popen(
            [sys.executable, str(program), str(rank), str(tmp_path / "store")], stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    first, second = (rank.communicate(timeout=120)[0] for rank in ranks)
    assert first == second and len(json.loads(first)) > 20
    assert json.loads(first)[-1] < 0.1 * 0.02


# accelerate #2926: the prepared scheduler is stepped once for each process.
def test_under_accelerate_with_two_processes(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("accelerate")
    program = tmp_path / "accelerated.py"
    program.write_text(
        f"""
import json, pathlib, sys, time, torch
from accelerate import Accelerator
from glidepath.torch import GlideLR
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = torch.utils.data.DataLoader(torch.rand(64, 1), batch_size=4)
own = GlideLR(optimizer, sys.argv[1])
model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, own)
rates = []
while not own.done:
    for batch in loader:
        with accelerator.accumulate(model):
            time.sleep(0.01)
            accelerator.backward(model(batch).square().mean())
            if accelerator.sync_gradients:
                rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        if own.done:
            break
place = pathlib.Path({str(tmp_path)!r}) / f"{{sys.argv[1]}}-{{accelerator.process_index}}.json"
place.write_text(json.dumps(rates))
"""
    )
    for budget in ("12it", "2s"):
        answer = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", program, budget],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
        )
        assert answer.returncode == 0, answer.stderr[-2000:]
        first, second = (json.loads((tmp_path / f"{budget}-{rank}.json").read_text()) for rank in range(2))
        assert first == second
        if budget == "12it":
            assert first == pytest.approx([0.1 * (1 - step / 12) for step in range(12)])
        else:
            assert len(first) > 10 and first[-1] < 0.1 * 0.02


def test_docstring() -> None:
    import doctest

    import glidepath.torch._glide_lr as module

    assert doctest.testmod(module).failed == 0
