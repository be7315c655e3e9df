#!/usr/bin/env python3
"""Losses and metrics of small outputs and targets, by PyTorch's functions and by counting in Python.

    make_tasks.py        writes tasks.json beside this file (made with torch 2.15)
"""
import json
import math
import os

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(7)


def case(outputs, targets, **told):
    return dict(shape=list(outputs.shape), outputs=outputs.flatten().tolist(), target_shape=list(targets.shape),
                targets=targets.flatten().tolist(), **told)


def classify():
    outputs, targets = torch.randn(6, 12), torch.randint(0, 12, (6,))
    top5 = sum(int(t) in sorted(range(12), key=lambda c: -row[c])[:5] for row, t in zip(outputs.tolist(), targets)) / 6
    return case(outputs, targets, loss=F.cross_entropy(outputs, targets, label_smoothing=0.1).item(),
                plain_loss=F.cross_entropy(outputs, targets).item(), terms=6,
                metrics=dict(accuracy=(outputs.argmax(1) == targets).float().mean().item(), top5_accuracy=top5))


def multilabel():
    outputs, targets = torch.randn(9, 4), (torch.rand(9, 4) < 0.4).long()
    targets[:, 3] = 0
    outputs[:, 3] = -1  # a class that nobody asked for or answered has no part in the mean
    shares = []
    for c in range(4):
        yes, true = outputs[:, c] > 0, targets[:, c] == 1
        tp, fp, fn = int((yes & true).sum()), int((yes & ~true).sum()), int((~yes & true).sum())
        if tp + fp + fn:
            shares.append(2 * tp / (2 * tp + fp + fn))
    loss = F.binary_cross_entropy_with_logits(outputs, targets.float()).item()
    return case(outputs, targets, loss=loss, plain_loss=loss, terms=36,
                metrics=dict(mean_f1=sum(shares) / len(shares),
                             accuracy=((outputs > 0).long() == targets).float().mean().item()))


def regress():
    outputs, targets = torch.randn(5, 3), torch.randn(5, 3)
    loss = F.mse_loss(outputs, targets).item()
    differences = [a - b for a, b in zip(outputs.flatten().tolist(), targets.flatten().tolist())]
    return case(outputs, targets, loss=loss, plain_loss=loss, terms=15,
                metrics=dict(rmse=math.sqrt(sum(d * d for d in differences) / 15),
                             mae=sum(abs(d) for d in differences) / 15))


def segment():
    outputs, targets = torch.randn(2, 4, 5, 6), torch.randint(0, 3, (2, 5, 6))  # class 3 is in outputs alone
    targets[0, :2] = 9
    asked = [(o, t) for o, t in zip(outputs.argmax(1).flatten().tolist(), targets.flatten().tolist()) if t != 9]
    shares = []
    for c in range(4):
        both = sum(o == c and t == c for o, t in asked)
        either = sum(o == c or t == c for o, t in asked)
        if either:
            shares.append(both / either)
    return case(outputs, targets, ignored=9, terms=len(asked),
                loss=F.cross_entropy(outputs, targets, ignore_index=9, label_smoothing=0.1).item(),
                plain_loss=F.cross_entropy(outputs, targets, ignore_index=9).item(),
                metrics=dict(mean_iou=sum(shares) / len(shares), accuracy=sum(o == t for o, t in asked) / len(asked)))


def language():
    outputs, targets = torch.randn(3, 7, 11), torch.randint(0, 11, (3, 7))
    loss = F.cross_entropy(outputs.reshape(21, 11), targets.reshape(21)).item()
    return case(outputs, targets, terms=21, plain_loss=loss, bytes_per_token=1.5,
                loss=F.cross_entropy(outputs.reshape(21, 11), targets.reshape(21), label_smoothing=0.1).item(),
                metrics=dict(perplexity=math.exp(loss), accuracy=(outputs.argmax(2) == targets).float().mean().item(),
                             bits_per_byte=loss / math.log(2) / 1.5))


with open(os.path.join(HERE, "tasks.json"), "w") as file:
    cases = [f' "{f.__name__}": {json.dumps(f())}' for f in (classify, multilabel, regress, segment, language)]
    file.write("{\n" + ",\n".join(cases) + "\n}\n")
