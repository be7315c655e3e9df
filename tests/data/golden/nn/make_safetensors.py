#!/usr/bin/env python3
"""Writes python.safetensors with the format's own library (made with safetensors 0.8.0, torch 1.13.1)."""
import os

import torch
from safetensors.torch import save_file

save_file(
    {
        "float": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
        "half": torch.arange(5).to(torch.bfloat16),
        "whole": torch.tensor([-1, 1 << 40]),
        "flags": torch.tensor([True, False, True]),
    },
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "python.safetensors"),
    metadata={"made_by": "python"},
)
