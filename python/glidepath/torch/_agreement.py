"""Processes that train one model follow one clock."""

from __future__ import annotations

from typing import Any

import torch

from glidepath._glide import Glide


class Agreement:
    """Lets every process follow rank 0's clock, through the host's memory: no GPU waits."""

    def __init__(self) -> None:
        self._group: Any = None
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            if torch.distributed.get_world_size() > 1:
                self._group = torch.distributed.new_group(backend="gloo")
        self._told = torch.zeros(2, dtype=torch.float64)

    @property
    def is_needed(self) -> bool:
        """Whether there are several processes."""
        return self._group is not None

    def begin(self, glide: Glide) -> None:
        """The first update begins; among several processes it waits for the last of them to start, which is no
        measure of an update."""
        if not self.is_needed:
            glide.begin()

    def follow(self, glide: Glide) -> None:
        if self._group is None:
            return
        if torch.distributed.get_rank() == 0:
            self._told[0], self._told[1] = glide.progress, float(glide.done)
        torch.distributed.broadcast(self._told, src=0, group=self._group)
        progress, done = self._told.tolist()
        glide.follow(progress, bool(done))
