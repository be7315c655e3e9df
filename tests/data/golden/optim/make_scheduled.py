#!/usr/bin/env python3
"""Writes scheduled.json: torch.optim's SGD and AdamW over 20 updates whose weight decay and momentum change from update to
update, as PyTorch computes them (made with torch 2.15).

The gradient of element i of the parameter w at update s is 0.3 * w[i] + sin(0.7 * s + 0.1 * i^1.5). The learning rate is
0.05; weight decay is 0.1 times (1 + cos(pi p)) / 2, momentum 0.9 times 0.5 + 0.5 p, at p = s / 20.
"""
import json
import math
import os

import torch

UPDATES, DECAY, MOMENTUM = 20, 0.1, 0.9


def run(name):
    w = torch.linspace(-1, 1, 24).reshape(4, 6).requires_grad_()
    if name == "sgd":
        optimizer = torch.optim.SGD([w], lr=0.05, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY)
    else:
        optimizer = torch.optim.AdamW([w], lr=0.05, weight_decay=DECAY)
    states = []
    for step in range(UPDATES):
        progress = step / UPDATES
        for group in optimizer.param_groups:
            group["weight_decay"] = DECAY * (1 + math.cos(math.pi * progress)) / 2
            if name == "sgd":
                group["momentum"] = MOMENTUM * (0.5 + 0.5 * progress)
        index = torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape)
        w.grad = 0.3 * w.detach() + torch.sin(0.7 * step + 0.1 * index**1.5).float()
        optimizer.step()
        states.append([float(f"{value:.9g}") for value in w.detach().flatten().tolist()])
    return {"optimizer": name, "states": [states[s] for s in (0, 4, 19)]}


here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "scheduled.json"), "w", encoding="ascii") as file:
    json.dump({"after_updates": [1, 5, 20], "cases": [run("sgd"), run("adamw")]}, file)
    file.write("\n")
