#!/usr/bin/env python3
"""PyTorch's side of bench/train_throughput: the same network, batch, data and augmentation, at its best settings.

Trains a CIFAR ResNet for a number of updates and prints images per second of the whole loop, data and
augmentation included. Settings as its users' fastest recipes: channels_last, bf16 autocast, foreach SGD (fused on a
GPU), gradients set to None; the data set is held in the device's memory and augmented there a whole batch at a time,
which is faster than a DataLoader with worker processes at this image size. On a GPU cuDNN tries its kernels, and no
update waits for its loss; --compile has torch.compile make kernels of its own, whose making is not timed.
"""
import argparse
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def load_cifar10(folder, files=tuple(f"data_batch_{i}.bin" for i in range(1, 6))):
    images, labels = [], []
    for name in files:
        raw = np.fromfile(os.path.join(folder, name), dtype=np.uint8).reshape(-1, 3073)
        labels.append(raw[:, 0].astype(np.int64))
        images.append(raw[:, 1:].reshape(-1, 3, 32, 32))
    return torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(labels))


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += identity
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, widths, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        layers, cin = [], widths[0]
        for stage, width in enumerate(widths):
            for block in range(blocks):
                layers.append(Block(cin, width, 2 if stage > 0 and block == 0 else 1))
                cin = width
        self.layers = nn.Sequential(*layers)
        self.fc = nn.Linear(cin, 10)

    def forward(self, x):
        x = self.layers(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def make_model(name, width):
    if name == "resnet18":
        return ResNet([round(c * width) for c in (64, 128, 256, 512)], 2)
    if name in ("resnet8", "resnet20"):
        return ResNet([round(c * width) for c in (16, 32, 64)], {"resnet8": 1, "resnet20": 3}[name])
    raise SystemExit(f"unknown model {name}")


def crop_and_flip(padded, generator):
    n, device = padded.shape[0], padded.device
    dy = torch.randint(0, 9, (n,), generator=generator, device=device)
    dx = torch.randint(0, 9, (n,), generator=generator, device=device)
    flip = torch.rand(n, generator=generator, device=device) < 0.5
    cols = torch.arange(32, device=device)
    cols = torch.where(flip[:, None], 31 - cols, cols) + dx[:, None]
    rows = torch.arange(32, device=device) + dy[:, None]
    each = torch.arange(n, device=device)[:, None, None]
    return padded[each, :, rows[:, :, None], cols[:, None, :]].permute(0, 3, 1, 2)


def test_accuracy(model, folder, mean, scale, precision):
    images, labels = (each.to(mean.device) for each in load_cifar10(folder, ["test_batch.bin"]))
    model.eval()
    right = 0
    with torch.no_grad(), torch.autocast(mean.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        for x, y in zip(images.split(500), labels.split(500)):
            x = ((x.float() - mean) * scale).contiguous(memory_format=torch.channels_last)
            right += int((model(x).argmax(1) == y).sum())
    return right / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="print the accuracy on the test images as well")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    on_gpu = args.device == "cuda"
    torch.backends.cudnn.benchmark = True
    images, labels = (each.to(args.device) for each in load_cifar10(args.data_dir))
    padded = F.pad(images, (4, 4, 4, 4))
    mean = torch.tensor([0.4914, 0.4822, 0.4465], device=args.device).view(1, 3, 1, 1) * 255
    scale = 1 / (torch.tensor([0.2470, 0.2435, 0.2616], device=args.device).view(1, 3, 1, 1) * 255)
    model = make_model(args.model, args.width).to(args.device, memory_format=torch.channels_last)
    kind = {"fused": True} if on_gpu else {"foreach": True}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, **kind)
    total = args.warmup + args.updates
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 1 - s / total)
    generator = torch.Generator(args.device).manual_seed(args.seed)
    order = torch.randperm(len(labels), generator=generator, device=args.device)
    forward = torch.compile(model) if args.compile else model
    start = None
    for step in range(total):
        if step == args.warmup:
            if on_gpu:
                torch.cuda.synchronize()
            start = time.perf_counter()
        index = order[(step * 128) % 49920 : (step * 128) % 49920 + 128]
        x = (crop_and_flip(padded[index], generator).float() - mean) * scale
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(args.device, dtype=torch.bfloat16, enabled=args.precision == "bf16"):
            loss = F.cross_entropy(forward(x).float(), labels[index])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        scheduler.step()
        if not on_gpu:
            loss.item()
    loss.item()
    seconds = time.perf_counter() - start
    print(f"{args.updates * 128 / seconds:.1f}")
    if args.test:
        print(f"{test_accuracy(model, args.data_dir, mean, scale, args.precision):.4f}")


if __name__ == "__main__":
    main()
