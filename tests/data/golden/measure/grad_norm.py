#!/usr/bin/env python3
"""The full gradient's norm of a resnet8 on the carried digits, by PyTorch alone (made with torch 1.13).

    grad_norm.py                     writes resnet8.safetensors (weights from a seed) and grad_norm.json beside this file
    grad_norm.py WEIGHTS             prints the same numbers as JSON for a file of weights

Nothing here is Glidepath's: the file is read by hand, the network is written with torch.nn.functional from its
parameters' names, and the loss is summed over the batches of the training set in order before one backward pass, in
double precision.
"""
import gzip
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
DIGITS = os.path.join(HERE, "..", "..", "..", "..", "data", "digits", "digits.csv.gz")
MEAN, STDDEV = 0.3053, 0.3760  # of src/data/sets/dataset.cpp
BATCH, DECAY, SMOOTHING = 100, 0.01, 0.1
CASES = [dict(bn=bn, decay=decay, smoothing=smoothing)
         for bn in ("batch", "running") for decay in (False, True) for smoothing in (0.0, SMOOTHING)]


def training_set():
    rows = [[int(v.split(".")[0]) for v in line.split(",")] for line in gzip.open(DIGITS, "rt")]
    rows = np.array([row for i, row in enumerate(rows) if i % 5 != 4])
    pixels = (rows[:, :64] * 255 + 8) // 16
    # Float32 before double: what the network is given is part of the question.
    images = ((torch.tensor(pixels, dtype=torch.float32) / 255 - MEAN) / STDDEV).reshape(-1, 1, 8, 8)
    return images.double(), torch.tensor(rows[:, 64])


def read_safetensors(path):
    with open(path, "rb") as file:
        raw = file.read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = torch.from_numpy(np.frombuffer(raw[begin:end], "<f4").copy()).reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype],
                        "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.numpy().tobytes())


def forward(w, x, batch_statistics):
    def norm(x, name):
        if batch_statistics:
            return F.batch_norm(x, None, None, w[name + ".weight"], w[name + ".bias"], True, 0.1, 1e-5)
        return F.batch_norm(x, w[name + ".running_mean"], w[name + ".running_var"], w[name + ".weight"],
                            w[name + ".bias"], False, 0.1, 1e-5)

    x = F.relu(norm(F.conv2d(x, w["conv1.weight"], padding=1), "bn1"))
    for stage in (1, 2, 3):
        block, stride = f"layer{stage}.0.", 1 if stage == 1 else 2
        y = F.relu(norm(F.conv2d(x, w[block + "conv1.weight"], stride=stride, padding=1), block + "bn1"))
        y = norm(F.conv2d(y, w[block + "conv2.weight"], padding=1), block + "bn2")
        if stage > 1:
            x = norm(F.conv2d(x, w[block + "downsample.0.weight"], stride=stride), block + "downsample.1")
        x = F.relu(y + x)
    return F.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])


def measure(weights, bn, decay, smoothing):
    images, labels = training_set()
    w = {name: tensor.double() for name, tensor in weights.items()}
    trained = [tensor.requires_grad_() for name, tensor in w.items() if "running" not in name]
    total = 0
    for first in range(0, len(labels), BATCH):
        batch = slice(first, first + BATCH)
        logits = forward(w, images[batch], bn == "batch")
        total = total + F.cross_entropy(logits, labels[batch], reduction="sum", label_smoothing=smoothing)
    loss = total / len(labels)
    gradients = torch.autograd.grad(loss, trained)
    if decay:
        gradients = [g + DECAY * t.detach() for g, t in zip(gradients, trained)]
    return {"bn": bn, "decay": decay, "smoothing": smoothing, "loss": loss.item(),
            "grad_norm": sum((g * g).sum() for g in gradients).sqrt().item()}


def weight_norms(weights):
    return {name: tensor.double().norm().item() for name, tensor in weights.items() if "running" not in name}


def told(weights):
    return {"torch": torch.__version__, "batch_size": BATCH, "weight_decay": DECAY,
            "cases": [measure(weights, **case) for case in CASES], "weight_norms": weight_norms(weights)}


def seeded_weights():
    """A resnet8 of width 0.25 (4, 8, 16 channels), its statistics those that a run could have."""
    torch.manual_seed(6)
    weights = {}

    def norm(name, channels):
        weights[name + ".weight"] = 1 + 0.2 * torch.randn(channels)
        weights[name + ".bias"] = 0.2 * torch.randn(channels)
        weights[name + ".running_mean"] = 0.3 * torch.randn(channels)
        weights[name + ".running_var"] = 0.5 + torch.rand(channels)
        weights[name + ".num_batches_tracked"] = torch.tensor(50)

    def conv(name, out, inputs, kernel):
        weights[name + ".weight"] = torch.randn(out, inputs, kernel, kernel) * (2 / (out * kernel**2)) ** 0.5

    conv("conv1", 4, 1, 3)
    norm("bn1", 4)
    inputs = 4
    for stage, out in ((1, 4), (2, 8), (3, 16)):
        block = f"layer{stage}.0."
        conv(block + "conv1", out, inputs, 3)
        norm(block + "bn1", out)
        conv(block + "conv2", out, out, 3)
        norm(block + "bn2", out)
        if out != inputs:
            conv(block + "downsample.0", out, inputs, 1)
            norm(block + "downsample.1", out)
        inputs = out
    weights["fc.weight"], weights["fc.bias"] = 0.25 * torch.randn(10, 16), 0.1 * torch.randn(10)
    return weights


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(told(read_safetensors(sys.argv[1]))))
    else:
        file = os.path.join(HERE, "resnet8.safetensors")
        write_safetensors(file, seeded_weights())
        with open(os.path.join(HERE, "grad_norm.json"), "w") as out:
            json.dump(told(read_safetensors(file)), out, indent=1)
