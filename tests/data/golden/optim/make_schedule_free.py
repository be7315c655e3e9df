#!/usr/bin/env python3
"""Writes schedule_free.json: SGDScheduleFree and AdamWScheduleFree of the package schedulefree (1.4.1) over 20 updates.

Weights, gradients and what is written are those of make_muon.py, but that a vector is there too; the rate rises over the first
four updates to 0.05 and stays there. "trained" is y, at which gradients are taken; "tested" is x.
"""
import json
import os

import torch
from schedulefree import AdamWScheduleFree, SGDScheduleFree

UPDATES = 20
BASE_LR = 0.05


def run(name, momentum, weight_decay):
    shapes = {"matrix": (7, 4), "kernels": (4, 3, 2, 2), "vector": (5,)}
    weights = {}
    for key, shape in shapes.items():
        count = torch.Size(shape).numel()
        weights[key] = torch.linspace(-1, 1, count).reshape(shape).requires_grad_()
    settings = {"lr": BASE_LR, "weight_decay": weight_decay, "foreach": False}
    if name == "schedule-free-sgd":
        optimizer = SGDScheduleFree(weights.values(), momentum=momentum, **settings)
    else:
        optimizer = AdamWScheduleFree(weights.values(), betas=(momentum, 0.99), **settings)
    optimizer.train()
    trained, tested = [], []
    for step in range(UPDATES):
        for group in optimizer.param_groups:
            group["lr"] = BASE_LR * min(1, (step + 1) / 4)
        for w in weights.values():
            index = torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape)
            w.grad = 0.3 * w.detach() + torch.sin(0.7 * step + 0.1 * index**1.5).float()
        optimizer.step()
        trained.append(torch.cat([w.detach().flatten() for w in weights.values()]).tolist())
        optimizer.eval()
        tested.append(torch.cat([w.detach().flatten() for w in weights.values()]).tolist())
        optimizer.train()
    pick = lambda states: [[float(f"{value:.9g}") for value in states[s]] for s in (0, 4, 19)]
    return {"optimizer": name, "momentum": momentum, "weight_decay": weight_decay, "trained": pick(trained), "tested": pick(tested)}


cases = [run(name, momentum, decay) for name in ("schedule-free-sgd", "schedule-free-adamw")
         for momentum, decay in ((0.9, 0.0), (0.95, 0.02))]
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "schedule_free.json"), "w", encoding="ascii") as file:
    json.dump({"after_updates": [1, 5, 20], "cases": cases}, file)
    file.write("\n")
