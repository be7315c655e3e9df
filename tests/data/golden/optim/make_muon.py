#!/usr/bin/env python3
"""Writes muon.json: torch.optim.Muon over 20 updates, as PyTorch computes them (made with torch 2.15).

PyTorch's Muon takes matrices alone, and makes them orthogonal in bfloat16; here in float32, by giving its module another
type of that name, so that the comparison is to float32's digits. Filters are given to it as the matrix [out, the rest].
The gradient of element i of parameter w at update s is 0.3 * w[i] + sin(0.7 * s + 0.1 * i^1.5). The learning rate falls
linearly.
"""
import json
import os
import types

import torch
import torch.optim._muon as muon

UPDATES = 20
BASE_LR = 0.05


class Torch(types.SimpleNamespace):
    """torch, but for bfloat16."""

    bfloat16 = torch.float32

    def __getattr__(self, name):
        return getattr(torch, name)


muon.torch = Torch()


def run(momentum, nesterov, weight_decay, steps):
    shapes = {"wide": (3, 8), "tall": (7, 4), "kernels": (4, 3 * 2 * 2)}
    weights = {
        name: torch.linspace(-1, 1, rows * columns).reshape(rows, columns).requires_grad_()
        for name, (rows, columns) in shapes.items()
    }
    optimizer = torch.optim.Muon(
        weights.values(), lr=BASE_LR, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov, ns_steps=steps
    )
    states = []
    for step in range(UPDATES):
        for group in optimizer.param_groups:
            group["lr"] = BASE_LR * (1 - step / UPDATES)
        for w in weights.values():
            index = torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape)
            w.grad = 0.3 * w.detach() + torch.sin(0.7 * step + 0.1 * index**1.5).float()
        optimizer.step()
        states.append(torch.cat([w.detach().flatten() for w in weights.values()]).tolist())
    return {
        "momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay, "steps": steps,
        "states": [[float(f"{value:.9g}") for value in states[s]] for s in (0, 4, 19)],
    }


cases = [run(0.95, True, 0.0, 5), run(0.6, True, 0.0, 3), run(0.95, False, 0.1, 5), run(0.0, False, 0.0, 1)]
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "muon.json"), "w", encoding="ascii") as file:
    json.dump({"after_updates": [1, 5, 20], "cases": cases}, file)
    file.write("\n")
