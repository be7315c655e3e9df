"""PyTorch's usual CIFAR-10 script, under a budget: its two changed lines are marked.

    python cifar10.py FOLDER [BUDGET]

FOLDER holds data_batch_1.bin to test_batch.bin (CIFAR-10's binary version); the default budget is 5m.
"""

import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

import glidepath.torch

folder, budget = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "5m"


def load(*names):
    rows = numpy.concatenate([numpy.fromfile(folder / name, numpy.uint8).reshape(-1, 3073) for name in names])
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).copy()).float().div_(127.5).sub_(1)
    return torch.utils.data.TensorDataset(images, torch.from_numpy(rows[:, 0].astype(numpy.int64)))


def block(channels, out, stride):
    layers = [nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


torch.manual_seed(0)
loader = torch.utils.data.DataLoader(load(*(f"data_batch_{i}.bin" for i in range(1, 6))), 128, shuffle=True)
tests = torch.utils.data.DataLoader(load("test_batch.bin"), 500)
model = nn.Sequential(
    block(3, 16, 1), block(16, 32, 2), block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
scheduler = glidepath.torch.GlideLR(optimizer, budget)  # changed: was CosineAnnealingLR(optimizer, T_max=200)

model.train()
for images, labels in scheduler.glide.batches(loader):  # changed: was two loops, over epochs and the loader
    flip = torch.rand(len(images), 1, 1, 1) < 0.5
    loss = functional.cross_entropy(model(torch.where(flip, images.flip(3), images)), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if scheduler.glide.step % 50 == 0:
        print(f"update {scheduler.glide.step}: loss {loss.item():.3f}, lr {scheduler.get_last_lr()[0]:.4f}")

model.eval()
with torch.no_grad():
    right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in tests)
print(f"test accuracy {100 * right / len(tests.dataset):.2f} % after {scheduler.glide.step} updates")
