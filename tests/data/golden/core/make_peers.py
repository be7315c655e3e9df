#!/usr/bin/env python3
"""Writes peers.csv: the learning rates that other programs' schedulers give, 1 at the most, over 100 updates.

Columns: peer, schedule (ours that should agree), updates, shift, step, lr. `shift` says at which of our steps the
peer's value of `step` stands: ours is f((step + shift) / updates). Made with torch 1.13.1, timm 0.9.2,
transformers 4.30.2 and optax 0.1.5:

    python3 -m venv --system-site-packages venv && venv/bin/pip install timm==0.9.2 transformers==4.30.2 optax==0.1.5
    venv/bin/python make_peers.py
"""
import csv
import os
import sys
import warnings

import torch

warnings.filterwarnings("ignore")
N = 100
ROWS = []


def record(peer, schedule, values, shift=0):
    for step, lr in enumerate(values):
        ROWS.append([peer, schedule, N, shift, step, f"{float(lr):.17g}"])


def torch_values(make, steps=N):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


def pytorch():
    s = torch.optim.lr_scheduler
    record("pytorch", "linear", torch_values(lambda o: s.LinearLR(o, 1.0, 0.0, N)))
    record("pytorch", "poly(power=0.9)", torch_values(lambda o: s.PolynomialLR(o, N, 0.9)))
    record("pytorch", "cosine", torch_values(lambda o: s.CosineAnnealingLR(o, N)))
    record("pytorch", "step-d3", torch_values(lambda o: s.MultiStepLR(o, [25, 50, 75], 0.1)))
    record("pytorch", "step(0.5,0.75)", torch_values(lambda o: s.MultiStepLR(o, [50, 75], 0.1)))
    record("pytorch", "exp(0.97,full_epochs=100)", torch_values(lambda o: s.ExponentialLR(o, 0.97)))
    record("pytorch", "sgdr-r1", torch_values(lambda o: s.CosineAnnealingWarmRestarts(o, 50)))
    record("pytorch", "sgdr(T0=10,Tmult=2)", torch_values(lambda o: s.CosineAnnealingWarmRestarts(o, 10, 2)))
    # OneCycleLR puts its two phases on [0, pct * N - 1] and [pct * N - 1, N - 1]: our progress over N - 1 updates,
    # with the peak where its first phase ends.
    values = torch_values(lambda o: s.OneCycleLR(o, 1.0, total_steps=N, pct_start=0.3, cycle_momentum=False))
    for step, lr in enumerate(values):
        ROWS.append(["pytorch", f"onecycle(peak={29 / 99!r})", N - 1, 0, step, f"{lr:.17g}"])
    values = torch_values(lambda o: s.OneCycleLR(o, 1.0, total_steps=N, pct_start=0.3, anneal_strategy="linear",
                                                 cycle_momentum=False))
    for step, lr in enumerate(values):
        ROWS.append(["pytorch", f"onecycle(peak={29 / 99!r},shape=linear)", N - 1, 0, step, f"{lr:.17g}"])


def transformers():
    import transformers.optimization as t

    record("transformers", "linear", torch_values(lambda o: t.get_linear_schedule_with_warmup(o, 0, N)))
    record("transformers", "cosine", torch_values(lambda o: t.get_cosine_schedule_with_warmup(o, 0, N)))
    record("transformers", "linear(warmup=10%,warmup_start=0)",
           torch_values(lambda o: t.get_linear_schedule_with_warmup(o, 10, N)))
    record("transformers", "cosine(warmup=10%,warmup_start=0)",
           torch_values(lambda o: t.get_cosine_schedule_with_warmup(o, 10, N)))
    record("transformers", "inverse-sqrt(warmup=10%,warmup_start=0)",
           torch_values(lambda o: t.get_inverse_sqrt_schedule(o, 10)))
    record("transformers", "sgdr-r1",
           torch_values(lambda o: t.get_cosine_with_hard_restarts_schedule_with_warmup(o, 0, N, 2)))
    record("transformers", "poly(power=2)",
           torch_values(lambda o: t.get_polynomial_decay_schedule_with_warmup(o, 0, N, lr_end=0.0, power=2.0)))


def timm():
    from timm.scheduler import CosineLRScheduler, PolyLRScheduler, TanhLRScheduler

    def values(make):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = make(optimizer)
        lrs = []
        for step in range(N):
            scheduler.step(step)
            lrs.append(optimizer.param_groups[0]["lr"])
        return lrs

    record("timm", "cosine", values(lambda o: CosineLRScheduler(o, N)))
    record("timm", "poly(power=0.5)", values(lambda o: PolyLRScheduler(o, N, power=0.5)))
    record("timm", "htd(-6,3)", values(lambda o: TanhLRScheduler(o, N, lb=-6, ub=3)))
    record("timm", "htd(-4,4)", values(lambda o: TanhLRScheduler(o, N, lb=-4, ub=4)))


def optax():
    import optax

    record("optax", "linear", [optax.linear_schedule(1.0, 0.0, N)(i) for i in range(N)])
    record("optax", "cosine", [optax.cosine_decay_schedule(1.0, N)(i) for i in range(N)])
    record("optax", "poly(power=2)", [optax.polynomial_schedule(1.0, 0.0, 2, N)(i) for i in range(N)])
    record("optax", "cosine(warmup=20%,warmup_start=0)",
           [optax.warmup_cosine_decay_schedule(0.0, 1.0, 20, N)(i) for i in range(N)])
    record("optax", "cosine(floor=0.1)", [optax.cosine_decay_schedule(1.0, N, alpha=0.1)(i) for i in range(N)])


for make in (pytorch, transformers, timm, optax):
    make()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.csv"), "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["peer", "schedule", "updates", "shift", "step", "lr"])
    writer.writerows(ROWS)
print(len(ROWS), "values", file=sys.stderr)
