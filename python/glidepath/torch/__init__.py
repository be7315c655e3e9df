"""Glide as a scheduler of PyTorch's, for any loop or trainer that takes a torch.optim.lr_scheduler.LRScheduler."""

from __future__ import annotations

from glidepath.torch._glide_lr import GlideLR

__all__ = ["GlideLR"]
