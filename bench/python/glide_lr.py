#!/usr/bin/env python3
"""What GlideLR costs beside PyTorch's LambdaLR, in microseconds a step, and how long `import glidepath` takes.

    python bench/glide_lr.py [ROUNDS]

The three take turns, so that what else the machine does meets all of them; medians over rounds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import torch
from torch.optim.lr_scheduler import LambdaLR

from glidepath.torch import GlideLR

STEPS = 2000
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 31


def pair(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = make(optimizer)
    optimizer.step()
    scheduler.step()
    return optimizer, scheduler


def microseconds(optimizer, scheduler):
    begun = time.perf_counter()
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
    middle = time.perf_counter()
    for _ in range(STEPS):
        optimizer.step()
    return ((middle - begun) - (time.perf_counter() - middle)) / STEPS * 1e6


pairs = {
    "LambdaLR": pair(lambda o: LambdaLR(o, lambda step: 1 - step / 10**9)),
    "GlideLR, updates": pair(lambda o: GlideLR(o, "1000000000it")),
    "GlideLR, clock": pair(lambda o: GlideLR(o, "10h")),
}
taken = {name: [] for name in pairs}
for _ in range(ROUNDS):
    for name, (optimizer, scheduler) in pairs.items():
        taken[name].append(microseconds(optimizer, scheduler))
base = taken["LambdaLR"]
for name, values in taken.items():
    more = statistics.median(a - b for a, b in zip(values, base))
    print(f"{name:18} {statistics.median(values):6.2f} us a step, {more:+.2f} us beside LambdaLR")

code = "import time; begun = time.perf_counter(); import glidepath; print(time.perf_counter() - begun)"
times = [float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout) for _ in range(15)]
print(f"import glidepath   {1e3 * statistics.median(times):6.1f} ms")
