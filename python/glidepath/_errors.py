"""The exceptions of glidepath: one family, as in its program."""

from __future__ import annotations


class Error(Exception):
    """Base of everything that glidepath raises on purpose; the message is one line."""


class InputError(Error, ValueError):
    """Wrong usage or input; the message names the value and what would be right."""


class RunError(Error, RuntimeError):
    """The input was right and something failed all the same: a disk, a program, a diverged loss."""


for _class in (Error, InputError, RunError):
    _class.__module__ = "glidepath"  # where users find them
