#!/usr/bin/env python3
"""Writes sgd.json: torch.optim.SGD over 100 updates, as PyTorch itself computes them (made with torch 1.13.1).

The gradient of element i of parameter w at update s is 0.3 * w[i] + sin(0.7 * s + 0.1 * i), in float32.
"""
import json
import os

import torch

UPDATES = 100


def run(options, decay_norm_bias):
    matrix = torch.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
    vector = torch.linspace(0.5, -0.5, 5).requires_grad_()
    weight_decay = options["weight_decay"]
    groups = [
        {"params": [matrix], "weight_decay": weight_decay},
        {"params": [vector], "weight_decay": weight_decay if decay_norm_bias else 0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=options["momentum"], nesterov=options["nesterov"])
    states = []
    for step in range(UPDATES):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 - step / UPDATES)
        for w in (matrix, vector):
            index = torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape)
            w.grad = 0.3 * w.detach() + torch.sin(0.7 * step + 0.1 * index).float()
        optimizer.step()
        states.append(matrix.detach().flatten().tolist() + vector.detach().tolist())
    return {**options, "decay_norm_bias": decay_norm_bias, "states": [states[s] for s in (0, 1, 9, 99)]}


cases = [
    run({"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}, True),
    run({"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, False),
    run({"momentum": 0.9, "nesterov": False, "weight_decay": 1e-2}, True),
    run({"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}, True),
]
with open(os.path.join(os.path.dirname(__file__), "sgd.json"), "w") as file:
    json.dump({"torch": torch.__version__, "after_updates": [1, 2, 10, 100], "cases": cases}, file)
