"""Glide for PyTorch: GlideLR, a scheduler for any loop or trainer that takes one, and GradNorm, the norm of the full
gradient while it trains."""

from __future__ import annotations

from glidepath._core import GradNormEstimate
from glidepath.torch._glide_lr import GlideLR
from glidepath.torch._grad_norm import GradNorm

__all__ = ["GlideLR", "GradNorm", "GradNormEstimate"]
