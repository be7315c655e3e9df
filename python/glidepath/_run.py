"""Run: a run's folder, written from anyone's loop as glidepath's program writes it."""

from __future__ import annotations

import json
import math
import os
import pathlib
import time
from typing import Any

from glidepath._errors import InputError, RunError
from glidepath._toml import toml_text

# Options that the program reads from a config.toml; all else is told in its table [loop].
_OPTIONS = ("schedule", "budget", "full", "base_lr", "batch_size", "seed")


class Run:
    """Writes a run's folder: `glidepath report`, `glidepath watch` and load_run read it while it trains.

    path         a new or empty folder; one that holds a run is refused, or gone on with where resume is true
    config       what the run is: schedule, budget, full, base_lr, batch_size and seed in glidepath's words, and
                 anything else, such as model and data, in yours
    tensorboard  TensorBoard events beside it, where the package tensorboard is installed

    with Run("runs/a", config={"schedule": "linear", "budget": "20m", "model": "UNet", "data": "cells"}) as run:
        ...
        run.log(step, loss=loss, lr=glide.lr, progress=glide.progress)
        run.log_eval(step, loss=test_loss, accuracy=test_accuracy, progress=glide.progress)
        run.finish(test_accuracy=accuracy, test_loss=loss, updates=glide.step)

    Accuracies are shares in [0, 1]; a run that has none is shown by its loss. Left by an exception, the run is told to have
    failed.
    """

    def __init__(
        self,
        path: str | pathlib.Path,
        config: dict[str, Any] | None = None,
        *,
        resume: bool = False,
        tensorboard: bool = True,
    ) -> None:
        self.path = pathlib.Path(path)
        self._begun = time.monotonic()
        self._step = 0
        self._finished = False
        self._losses: dict[str, float] = {}
        config = dict(config or {})
        options = {key: config.pop(key) for key in _OPTIONS if key in config}
        text = toml_text(options) + ("\n[loop]\n" + toml_text(config) if config else "")
        holds_run = (self.path / "config.toml").exists()
        if holds_run and not resume:
            raise InputError(f"{self.path}: holds a run already; give another folder, or resume=True to go on with it")
        if resume and not holds_run:
            raise InputError(f"{self.path}: holds no run to go on with")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not holds_run:
                _write_whole(self.path / "config.toml", text)
            (self.path / "summary.json").unlink(missing_ok=True)
            # Appended to, a line at a time; never through a link that somebody has put there.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            self._metrics = os.open(self.path / "metrics.jsonl", flags, 0o644)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written: {error.strerror}") from None
        self._board = _board(self.path) if tensorboard else None

    def log(
        self,
        step: int,
        *,
        loss: float,
        lr: float = math.nan,
        progress: float = math.nan,
        accuracy: float = math.nan,
        epoch: float = math.nan,
    ) -> None:
        """The mean training loss (and accuracy) since the last call, after update `step`."""
        self._losses["train_loss"] = loss
        self._write("train", step, epoch=epoch, progress=progress, lr=lr, loss=loss, accuracy=accuracy)

    def log_eval(
        self,
        step: int,
        *,
        loss: float,
        accuracy: float = math.nan,
        progress: float = math.nan,
        lr: float = math.nan,
        epoch: float = math.nan,
    ) -> None:
        """An evaluation, after update `step`."""
        self._losses["test_loss"] = loss
        self._write("eval", step, epoch=epoch, progress=progress, lr=lr, loss=loss, accuracy=accuracy)

    def log_measure(
        self, step: int, *, progress: float = math.nan, lr: float = math.nan, epoch: float = math.nan, **values: float
    ) -> None:
        """Anything else that is a number: grad_norm=..., weight_norm=..."""
        self._write("measure", step, epoch=epoch, progress=progress, lr=lr, **values)

    def finish(self, *, updates: int | None = None, status: str = "done", **results: float) -> None:
        """The run's end: test_accuracy, test_loss, train_loss, ...; writes summary.json.

        Losses that are not given are those that were logged last. A run without an accuracy, of a regression or a language
        model, is shown by its test loss, or where it has none its training loss.
        """
        if self._finished:
            raise InputError("finish: the run has ended already")
        results = {**self._losses, **results} if status == "done" else results
        for name, value in results.items():
            if name.endswith("accuracy") and not 0 <= value <= 1:
                raise InputError(f"{name} {value}: an accuracy is a share in [0, 1]")
        summary = {
            "status": status,
            "updates": self._step if updates is None else updates,
            "seconds": time.monotonic() - self._begun,
            **{name: _number(value) for name, value in results.items()},
        }
        _write_whole(self.path / "summary.json", json.dumps(summary, indent=2) + "\n")
        self.close()

    def close(self) -> None:
        """Writes what is left; a run without finish() counts as one that is still training."""
        self._finished = True
        if self._metrics >= 0:
            os.close(self._metrics)
            self._metrics = -1
        if self._board is not None:
            self._board.close()
            self._board = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is not None and not self._finished:
            text = f"{kind.__name__}: {error}".splitlines()[0]
            self.finish(status=text)
        else:
            self.close()

    def _write(self, kind: str, step: int, **values: float) -> None:
        if self._metrics < 0:
            raise InputError("the run has ended already")
        self._step = max(self._step, int(step))
        numbers = {name: _number(value) for name, value in values.items()}
        line = {"kind": kind, "step": int(step), **numbers, "seconds": time.monotonic() - self._begun}
        try:
            os.write(self._metrics, (json.dumps(line, allow_nan=False) + "\n").encode())
        except OSError as error:
            raise RunError(f"{self.path / 'metrics.jsonl'}: {error.strerror}") from None
        if self._board is not None:
            for name, value in numbers.items():
                if value is not None and name not in ("epoch", "progress"):
                    self._board.add(f"{kind}/{name}", value, int(step))


def _number(value: Any) -> float | int | None:
    """JSON has no NaN: what is not finite is null, as in the program's files."""
    number = value if isinstance(value, int) else float(value)
    return number if math.isfinite(number) else None


def _write_whole(file: pathlib.Path, text: str) -> None:
    """The file is there whole or as it was."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with open(part, "x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunError(f"{file}: cannot be written: {error.strerror}") from None


class _Board:
    """TensorBoard's own writer."""

    def __init__(self, writer: Any, event: Any, summary: Any) -> None:
        self._writer, self._event, self._summary = writer, event, summary

    def add(self, tag: str, value: float, step: int) -> None:
        summary = self._summary(value=[self._summary.Value(tag=tag, simple_value=value)])
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        self._writer.close()


def _board(path: pathlib.Path) -> _Board | None:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        return None
    return _Board(EventFileWriter(str(path / "tensorboard")), Event, Summary)
