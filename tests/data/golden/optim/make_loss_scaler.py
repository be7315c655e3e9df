#!/usr/bin/env python3
"""Writes loss_scaler.json: what torch.amp.GradScaler does with gradients that overflow now and then.

Made with PyTorch 2.15.0 on the CPU:  python make_loss_scaler.py
"""

import json
import pathlib

import torch

SETTINGS = {
    "usual": dict(init_scale=65536.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=3),
    "uneven": dict(init_scale=1000.0, growth_factor=1.7, backoff_factor=0.3, growth_interval=2),
    "at_the_top": dict(init_scale=2.0**126, growth_factor=4.0, backoff_factor=0.5, growth_interval=1),
}
# Losses of which the gradient is the factor; inf and nan stand for overflows.
FACTORS = [1.0, 0.25, 3.0, float("inf"), 1e-3, 2.0, 5.0, 7.0, float("nan"), float("-inf"), 0.1, 0.2, 0.3, 0.4]


def run(settings):
    weights = [torch.nn.Parameter(torch.tensor([1.0, -2.0])), torch.nn.Parameter(torch.tensor([[0.5]]))]
    optimizer = torch.optim.SGD(weights, lr=0.125)
    scaler = torch.amp.GradScaler("cpu", **settings)
    steps = []
    for i, factor in enumerate(FACTORS):
        optimizer.zero_grad()
        # One element alone may overflow, in one tensor alone.
        loss = weights[0][i % 2] * factor + weights[0].sum() + weights[1].sum() * 0.5
        scaler.scale(loss).backward()
        before = [w.detach().clone() for w in weights]
        scaler.unscale_(optimizer)
        gradients = [w.grad.flatten().tolist() for w in weights]
        scaler.step(optimizer)
        scaler.update()
        steps.append({
            "factor": str(factor), "gradients": [[str(g) for g in list_] for list_ in gradients],
            "skipped": all(torch.equal(a, b) for a, b in zip(before, weights)),
            "scale": scaler.get_scale(), "tracker": scaler._get_growth_tracker(),
            "weights": [w.detach().flatten().tolist() for w in weights],
        })
    return {"settings": settings, "steps": steps}


path = pathlib.Path(__file__).with_name("loss_scaler.json")
path.write_text(json.dumps({name: run(s) for name, s in SETTINGS.items()}) + "\n")
