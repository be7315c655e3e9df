#!/usr/bin/env python3
"""Images per second of torchvision's DataLoader over ImageFolder, as PyTorch's ImageNet example sets it up. Run by
bench/image_loading.py, in turn with Glidepath's loader.

    python3 torch_loader.py FOLDER [SECONDS] [WORKERS]
"""
import sys
import time

import torch
from torchvision import datasets, transforms

folder = sys.argv[1]
wanted = float(sys.argv[2]) if len(sys.argv) > 2 else 8
workers = int(sys.argv[3]) if len(sys.argv) > 3 else 2
dataset = datasets.ImageFolder(folder + "/train", transforms.Compose([
    transforms.RandomResizedCrop(224),
    transforms.RandomHorizontalFlip(),
    transforms.ToTensor(),
    transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
]))
torch.manual_seed(0)
loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=workers, persistent_workers=True)
for _ in loader:  # files in memory, workers awake
    pass
start, images = time.perf_counter(), 0
while time.perf_counter() - start < wanted:  # whole epochs
    for batch, _ in loader:
        images += batch.shape[0]
print(f"{images / (time.perf_counter() - start):.1f}")
