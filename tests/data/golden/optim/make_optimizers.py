#!/usr/bin/env python3
"""Writes optimizers.json: torch.optim's optimizers over 100 updates, as PyTorch computes them (made with torch 1.13).

The gradient of element i of parameter w at update s is 0.3 * w[i] + a * sin(0.7 * s + 0.1 * i), in float32, with a = 4
in the first ten updates and 0.1 later, so that AMSGrad's maximum is not Adam's mean. "seldom" has a gradient at every
third update only. The learning rate falls linearly.
"""
import json
import os

import torch

UPDATES = 100
BASE_LR = 0.02
MAKERS = {
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "amsgrad": lambda groups, **options: torch.optim.Adam(groups, amsgrad=True, **options),
    "adamw": torch.optim.AdamW,
}


def run(name, weight_decay, decay_norm_bias=True, **options):
    matrix = torch.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
    kernels = torch.linspace(0.8, -0.7, 48).reshape(2, 3, 2, 4).requires_grad_()
    vector = torch.linspace(0.5, -0.5, 5).requires_grad_()
    seldom = torch.linspace(0.2, 0.4, 3).requires_grad_()
    groups = [
        {"params": [matrix, kernels], "weight_decay": weight_decay},
        {"params": [vector, seldom], "weight_decay": weight_decay if decay_norm_bias else 0},
    ]
    optimizer = MAKERS[name](groups, lr=BASE_LR, **options)
    states = []
    for step in range(UPDATES):
        for group in optimizer.param_groups:
            group["lr"] = BASE_LR * (1 - step / UPDATES)
        amplitude = 4 if step < 10 else 0.1
        for w in (matrix, kernels, vector, seldom):
            index = torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape)
            w.grad = 0.3 * w.detach() + (amplitude * torch.sin(0.7 * step + 0.1 * index)).float()
        if step % 3 != 2:
            seldom.grad = None
        optimizer.step()
        values = torch.cat([w.detach().flatten() for w in (matrix, kernels, vector, seldom)]).tolist()
        states.append([float(f"{value:.9g}") for value in values])  # nine digits give back every float
    return {
        "optimizer": name, "weight_decay": weight_decay, "decay_norm_bias": decay_norm_bias, "options": options,
        "states": [states[s] for s in (0, 1, 9, 99)],
    }


OTHERS = {
    "adagrad": {"eps": 1e-3},
    "rmsprop": {"alpha": 0.9, "eps": 1e-3},
    "adam": {"betas": [0.8, 0.9], "eps": 1e-3},
    "amsgrad": {"betas": [0.8, 0.9], "eps": 1e-3},
    "adamw": {"betas": [0.8, 0.9], "eps": 1e-3},
}
cases = []
for name in MAKERS:
    cases += [run(name, 0.0), run(name, 5e-4), run(name, 0.1, False), run(name, 5e-4, **OTHERS[name])]
with open(os.path.join(os.path.dirname(__file__), "optimizers.json"), "w") as file:
    json.dump({"torch": torch.__version__, "after_updates": [1, 2, 10, 100], "cases": cases}, file)
