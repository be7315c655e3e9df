#!/usr/bin/env python3
"""Writes conventions.csv and mistakes.csv: what other programs' schedulers do at the ends, past them, and on resume.

conventions.csv: peer, scheduler, step, lr. A scheduler made for T = 20 updates (warm-up W = 4 where it has one) with
base learning rate 1; lr is what the update with index `step` uses, for 0 to 21 and 40; "raises" where it raises.

mistakes.csv: mistake, step, value. What docs/schedules.md and tests/schedule/peers_mistakes_test.cpp say of peers.

Made with torch 2.15.0, timm 1.0.31, transformers 5.24.0, optax 0.2.8, accelerate 1.15.0, pytorch-lightning 2.6.6 and
mosaicml (Composer) 0.32.1, whose scheduler.py and time.py are loaded alone, as its other modules need an older torch:

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 timm==1.0.31 transformers==5.24.0 optax==0.2.8 \
        accelerate==1.15.0 pytorch-lightning==2.6.6 && venv/bin/pip install --no-deps mosaicml==0.32.1
    venv/bin/python make_conventions.py
"""
import csv
import importlib.util
import logging
import os
import sys
import types
import warnings

import torch

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
T, W = 20, 4
STEPS = list(range(T + 2)) + [2 * T]
HERE = os.path.dirname(os.path.abspath(__file__))
CONVENTIONS, MISTAKES = [], []
s = torch.optim.lr_scheduler


def sgd(lr=1.0):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def record(peer, scheduler, values):
    """values: one a step from 0 on; a scheduler that raises gives fewer."""
    for step in STEPS:
        lr = f"{float(values[step]):.17g}" if step < len(values) else "raises"
        CONVENTIONS.append([peer, scheduler, step, lr])


def stepped(make, steps=2 * T + 1):
    optimizer = sgd()
    scheduler = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        try:
            scheduler.step()
        except ValueError:
            break
    return values


def pytorch():
    def warm_cosine(o):
        return s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, W), s.CosineAnnealingLR(o, T - W)], [W])

    for name, make in {
        "CosineAnnealingLR(T_max=T)": lambda o: s.CosineAnnealingLR(o, T),
        "LinearLR(1, 0, T)": lambda o: s.LinearLR(o, 1.0, 0.0, T),
        "PolynomialLR(T, 0.9)": lambda o: s.PolynomialLR(o, T, 0.9),
        "MultiStepLR([T/2, 3T/4])": lambda o: s.MultiStepLR(o, [T // 2, 3 * T // 4]),
        "ExponentialLR(0.97)": lambda o: s.ExponentialLR(o, 0.97),
        "CosineAnnealingWarmRestarts(T)": lambda o: s.CosineAnnealingWarmRestarts(o, T),
        "OneCycleLR(T, linear)": lambda o: s.OneCycleLR(o, 1.0, total_steps=T, anneal_strategy="linear",
                                                        cycle_momentum=False),
        "LinearLR, then CosineAnnealingLR": warm_cosine,
    }.items():
        record("PyTorch", name, stepped(make))


def timm():
    from timm.scheduler import CosineLRScheduler, PolyLRScheduler, StepLRScheduler, TanhLRScheduler
    from timm.scheduler import MultiStepLRScheduler

    for name, make in {
        "CosineLRScheduler(T)": lambda o: CosineLRScheduler(o, T, t_in_epochs=False),
        "CosineLRScheduler(T, warmup_t=W)": lambda o: CosineLRScheduler(o, T, warmup_t=W, t_in_epochs=False),
        "CosineLRScheduler(T, warmup_t=W, warmup_prefix=True)":
            lambda o: CosineLRScheduler(o, T, warmup_t=W, warmup_prefix=True, t_in_epochs=False),
        "PolyLRScheduler(T, 0.9)": lambda o: PolyLRScheduler(o, T, power=0.9, t_in_epochs=False),
        "TanhLRScheduler(T, -6, 3)": lambda o: TanhLRScheduler(o, T, lb=-6, ub=3, t_in_epochs=False),
        "StepLRScheduler(T/2)": lambda o: StepLRScheduler(o, T // 2, 0.1, t_in_epochs=False),
        "MultiStepLRScheduler([T/2, 3T/4])":
            lambda o: MultiStepLRScheduler(o, [T // 2, 3 * T // 4], 0.1, t_in_epochs=False),
    }.items():
        optimizer = sgd()
        scheduler = make(optimizer)
        values = [optimizer.param_groups[0]["lr"]]
        for step in range(1, 2 * T + 1):  # as timm's train.py: after each update, with the number done
            scheduler.step_update(step)
            values.append(optimizer.param_groups[0]["lr"])
        record("timm", name, values)


def transformers():
    import transformers.optimization as t

    for name, make in {
        "linear(0, T)": lambda o: t.get_linear_schedule_with_warmup(o, 0, T),
        "linear(W, T)": lambda o: t.get_linear_schedule_with_warmup(o, W, T),
        "cosine(0, T)": lambda o: t.get_cosine_schedule_with_warmup(o, 0, T),
        "polynomial(0, T, power=2)": lambda o: t.get_polynomial_decay_schedule_with_warmup(o, 0, T, power=2.0),
        "cosine_with_restarts(0, T, 2)":
            lambda o: t.get_cosine_with_hard_restarts_schedule_with_warmup(o, 0, T, 2),
        "inverse_sqrt(W)": lambda o: t.get_inverse_sqrt_schedule(o, W),
        "wsd(0, decay=T/2, stable=T/2, linear)":
            lambda o: t.get_wsd_schedule(o, 0, T // 2, num_stable_steps=T // 2, decay_type="linear"),
    }.items():
        record("Transformers", name, stepped(make))


def optax():
    import optax

    for name, schedule in {
        "linear_schedule(1, 0, T)": optax.linear_schedule(1.0, 0.0, T),
        "cosine_decay_schedule(1, T)": optax.cosine_decay_schedule(1.0, T),
        "polynomial_schedule(1, 0, 2, T)": optax.polynomial_schedule(1.0, 0.0, 2, T),
        "warmup_cosine_decay_schedule(0, 1, W, T)": optax.warmup_cosine_decay_schedule(0.0, 1.0, W, T),
        "cosine_onecycle_schedule(T, 1)": optax.cosine_onecycle_schedule(T, 1.0),
    }.items():
        record("optax", name, [schedule(i) for i in range(2 * T + 1)])


def composer_modules():
    """composer's scheduler.py and time.py without the package around them."""
    root = importlib.util.find_spec("composer").submodule_search_locations[0]
    for name in ("composer", "composer.core", "composer.utils"):
        sys.modules[name] = types.ModuleType(name)

    def load(name, path):
        spec = importlib.util.spec_from_file_location(name, os.path.join(root, path))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    sys.modules["composer.utils"].StringEnum = load("composer.utils.string_enum", "utils/string_enum.py").StringEnum
    load("composer.core.serializable", "core/serializable.py")
    time = load("composer.core.time", "core/time.py")
    core = sys.modules["composer.core"]
    core.State, core.Time, core.TimeUnit = object, time.Time, time.TimeUnit
    return load("composer.optim.scheduler", "optim/scheduler.py"), time


def composer():
    scheduler, time = composer_modules()

    def state(batch, max_duration):
        return types.SimpleNamespace(timestamp=time.Timestamp(batch=batch), dataloader_len=None,
                                     max_duration=time.Time.from_timestring(max_duration))

    for name, function in {
        "LinearScheduler()": scheduler.LinearScheduler(),
        "CosineAnnealingScheduler()": scheduler.CosineAnnealingScheduler(),
        "PolynomialScheduler(0.9)": scheduler.PolynomialScheduler(0.9),
        "MultiStepScheduler([0.5dur, 0.75dur])": scheduler.MultiStepScheduler(["0.5dur", "0.75dur"]),
        "LinearWithWarmupScheduler(Wba)": scheduler.LinearWithWarmupScheduler(f"{W}ba"),
    }.items():
        record("Composer", name, [function(state(i, f"{T}ba")) for i in range(2 * T + 1)])
    # A share of a length through int(): 0.29 of 100 batches is 28.
    for percent in range(1, 101):
        t_max = scheduler._convert_time(f"{percent / 100}dur", state(0, "100ba"))
        MISTAKES.append(["composer_share_of_100_batches", percent, t_max.value])


def lightning():
    import pytorch_lightning as pl

    class Module(pl.LightningModule):
        def __init__(self, interval):
            super().__init__()
            self.weight, self.interval, self.lrs = torch.nn.Parameter(torch.zeros(1)), interval, []

        def training_step(self, batch, _):
            self.lrs.append(self.optimizers().param_groups[0]["lr"])
            return (self.weight * batch).sum()

        def configure_optimizers(self):
            optimizer = torch.optim.SGD([self.weight], lr=1.0)
            scheduler = s.CosineAnnealingLR(optimizer, T)
            if self.interval is None:
                return [optimizer], [scheduler]  # as in its documentation: stepped once an epoch
            return [optimizer], [{"scheduler": scheduler, "interval": self.interval}]

    def fit(interval, epochs):
        module = Module(interval)
        data = torch.utils.data.DataLoader(torch.zeros(5, 1), batch_size=1)
        pl.Trainer(max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
                   enable_progress_bar=False, enable_model_summary=False).fit(module, data)
        return module.lrs

    record("Lightning", "CosineAnnealingLR(T), default interval", fit(None, 9)[:2 * T + 1])
    record("Lightning", "CosineAnnealingLR(T), interval=step", fit("step", 9)[:2 * T + 1])
    # How many updates the Trainer says there are when a time limit alone is given.
    module = Module("step")
    unlimited = pl.Trainer(max_time="00:00:10:00", max_epochs=-1, accelerator="cpu", logger=False,
                           enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    data = torch.utils.data.DataLoader(torch.zeros(5, 1), batch_size=1)
    unlimited.strategy.connect(module)
    unlimited._data_connector.attach_data(module, train_dataloaders=data)
    MISTAKES.append(["lightning_estimated_updates_with_max_time", 0, unlimited.estimated_stepping_batches])


def mistakes():
    import transformers.optimization as t
    from accelerate.scheduler import AcceleratedScheduler
    import accelerate.scheduler

    for step, lr in enumerate(stepped(lambda o: s.CosineAnnealingLR(o, 100), 201)):
        MISTAKES.append(["cosine_past_its_end", step, lr])
    for step, lr in enumerate(stepped(lambda o: s.OneCycleLR(o, 0.1, total_steps=100, anneal_strategy="linear",
                                                             cycle_momentum=False), 101)):
        MISTAKES.append(["onecycle_one_step_more", step, lr])

    # A run of 100 goes on as one of 200: the scheduler's state brings the old length back.
    old, new = s.CosineAnnealingLR(sgd(), 100), s.CosineAnnealingLR(sgd(), 200)
    new.load_state_dict(old.state_dict())
    MISTAKES.append(["length_after_load_state_dict", 0, new.T_max])
    old = s.OneCycleLR(sgd(), 1.0, total_steps=100)
    new = s.OneCycleLR(sgd(), 1.0, total_steps=200)
    new.load_state_dict(old.state_dict())
    MISTAKES.append(["length_after_load_state_dict", 1, new.total_steps])

    # transformers 4383: 100 updates, stopped after 50, 200 given on resume.
    optimizer = sgd(0.1)
    scheduler = t.get_linear_schedule_with_warmup(optimizer, 0, 100)
    for step in range(51):
        MISTAKES.append(["transformers_longer_on_resume", step, optimizer.param_groups[0]["lr"]])
        if step < 50:
            optimizer.step()
            scheduler.step()
    longer = t.get_linear_schedule_with_warmup(optimizer, 0, 200)
    longer.load_state_dict(scheduler.state_dict())
    optimizer.step()
    longer.step()
    MISTAKES.append(["transformers_longer_on_resume", 51, optimizer.param_groups[0]["lr"]])

    # transformers 26827, accelerate 2926: four processes, a schedule of 100 updates.
    accelerate.scheduler.AcceleratorState = lambda: types.SimpleNamespace(num_processes=4)
    optimizer = sgd()
    optimizer.step_was_skipped = False
    scheduler = AcceleratedScheduler(t.get_linear_schedule_with_warmup(optimizer, 0, 100), optimizer)
    for step in range(30):
        MISTAKES.append(["accelerate_four_processes", step, optimizer.param_groups[0]["lr"]])
        optimizer.step()
        scheduler.step()

    # The loss of 40 epochs, and the rate PyTorch's plateau sets after each.
    losses = [1.0, 0.9, 0.8] + [0.8 - 0.00001 * (i % 3) for i in range(20)] + [0.5] + [0.6] * 16
    optimizer = sgd()
    plateau = s.ReduceLROnPlateau(optimizer, factor=0.1, patience=5, threshold=1e-4)
    for step, loss in enumerate(losses):
        MISTAKES.append(["plateau_loss", step, loss])
        plateau.step(loss)
        MISTAKES.append(["plateau_lr", step, optimizer.param_groups[0]["lr"]])


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(name, len(rows), "rows", file=sys.stderr)


for make in (pytorch, timm, transformers, optax, lightning, composer, mistakes):
    make()
write("conventions.csv", ["peer", "scheduler", "step", "lr"], CONVENTIONS)
write("mistakes.csv", ["mistake", "step", "value"],
      [[name, step, value if isinstance(value, int) else f"{float(value):.17g}"] for name, step, value in MISTAKES])
