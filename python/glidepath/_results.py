"""Runs and studies read back: load_run and load_study."""

from __future__ import annotations

import json
import math
import pathlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Union

from glidepath._errors import InputError
from glidepath._toml import parse_flat_toml

Path = Union[str, "pathlib.Path"]

# Larger than what a run writes: somebody else's file.
_MOST_SUMMARY_BYTES = 1 << 24
_MOST_LINE_BYTES = 1 << 16


@dataclass(frozen=True)
class RunResult:
    """What a run left in its folder."""

    path: pathlib.Path
    config: dict[str, Any]
    """The options; those of a loop that is not glidepath's are in config["loop"]."""
    summary: dict[str, Any]
    """summary.json: status, test_accuracy, updates, seconds, ...; empty while it trains."""
    metrics: list[dict[str, Any]] = field(repr=False)
    """The lines of metrics.jsonl: kind (train, eval, measure), step, progress, lr, loss, accuracy, seconds, ..."""

    def frame(self, kind: str = "train") -> Any:
        """The lines of one kind as a pandas DataFrame. Needs pandas."""
        import pandas

        return pandas.DataFrame([line for line in self.metrics if line.get("kind") == kind]).drop(columns="kind")


@dataclass(frozen=True)
class StudyRun:
    """A run of a study, as its store has it."""

    id: str
    status: str
    config: dict[str, Any]
    error: str
    results: dict[str, float]
    """test_accuracy, test_loss, train_loss, updates, seconds, and the other scores it has."""


@dataclass(frozen=True)
class Study:
    """A study's plan and runs."""

    path: pathlib.Path
    name: str
    title: str
    axes: list[str]
    runs: list[StudyRun]

    def frame(self) -> Any:
        """A pandas DataFrame: a row for each run, with its axes, its results and its status. Needs pandas."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "id": run.id,
                    **{axis: run.config.get(axis) for axis in self.axes},
                    **run.results,
                    "status": run.status,
                }
                for run in self.runs
            ]
        )

    def curve(self, run_id: str) -> list[dict[str, Any]]:
        """The training and evaluation points of a finished run: kind, step, progress, lr, loss, accuracy."""
        return self._rows(
            "SELECT kind, step, progress, lr, loss, accuracy FROM curves WHERE run_id = ? ORDER BY position", run_id
        )

    def measures(self, run_id: str) -> list[dict[str, Any]]:
        """The measures of a finished run: name, step, progress, lr, value."""
        return self._rows(
            "SELECT name, step, progress, lr, value FROM measures WHERE run_id = ? ORDER BY position", run_id
        )

    def _rows(self, query: str, run_id: str) -> list[dict[str, Any]]:
        if run_id not in {run.id for run in self.runs}:
            raise InputError(f"{self.path}: the study has no run {run_id}")
        with _Store(self.path) as store:
            return [dict(row) for row in store.execute(query, (run_id,))]


def load_run(path: Path) -> RunResult:
    """Reads a run's folder, of `glidepath train` or of glidepath.Run; it may still be training.

    Raises InputError where there is none, or a file in it is damaged.
    """
    folder = pathlib.Path(path)
    if not (folder / "config.toml").is_file():
        raise InputError(f"{folder}: no run there (config.toml is missing); give the --out of glidepath train")
    config = parse_flat_toml(_text(folder / "config.toml"), folder / "config.toml")
    summary: dict[str, Any] = {}
    if (folder / "summary.json").is_file():
        try:
            summary = json.loads(_text(folder / "summary.json"))
        except ValueError:
            summary = {}
        if not isinstance(summary, dict) or "status" not in summary:
            raise InputError(f"{folder / 'summary.json'}: is damaged; it has no status")
    metrics = list(_lines(folder / "metrics.jsonl"))
    return RunResult(folder, config, summary, metrics)


def load_study(path: Path) -> Study:
    """Reads the store of a study; it may still be running. Raises InputError where there is none."""
    folder = pathlib.Path(path)
    if not (folder / "study.sqlite").is_file():
        raise InputError(
            f"{folder}: no study there (study.sqlite is missing); give the --out of glidepath study, and load_run a "
            "single run's"
        )
    with _Store(folder) as store:
        plan = {row["key"]: row["value"] for row in store.execute("SELECT key, value FROM plan")}
        runs = [
            _study_run(store, row, folder)
            for row in store.execute("SELECT * FROM runs WHERE position IS NOT NULL ORDER BY position")
        ]
    try:
        axes = [str(axis) for axis in json.loads(plan.get("axes", "[]"))]
    except (ValueError, TypeError):
        raise InputError(f"{folder / 'study.sqlite'}: its plan is damaged") from None
    return Study(folder, plan.get("name", ""), plan.get("title", ""), axes, runs)


def _study_run(store: _Store, row: sqlite3.Row, folder: pathlib.Path) -> StudyRun:
    numbers = (
        "test_accuracy",
        "test_loss",
        "train_loss",
        "train_accuracy",
        "updates",
        "epochs",
        "seconds",
        "images_per_second",
        "peak_memory_mib",
    )
    results = {name: row[name] for name in numbers if isinstance(row[name], (int, float))}
    if store.has_scores:
        for score in store.execute("SELECT name, value FROM scores WHERE run_id = ?", (row["id"],)):
            results[str(score["name"])] = score["value"]
    config = parse_flat_toml(row["config"], folder / "study.sqlite")
    return StudyRun(row["id"], row["status"], config, row["error"], results)


class _Store:
    """A study's store, read alone; what it holds is somebody else's, and nothing in it may run."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.file = folder / "study.sqlite"

    def __enter__(self) -> _Store:
        try:
            self.connection = sqlite3.connect(f"{self.file.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
            self.connection.row_factory = sqlite3.Row
            self.connection.execute("PRAGMA trusted_schema = OFF")
            self.connection.execute("PRAGMA query_only = ON")
            kinds = dict(self.connection.execute("SELECT name, type FROM sqlite_master").fetchall())
        except sqlite3.Error as error:
            raise InputError(f"{self.file}: not a study's store, or damaged ({error})") from None
        for table in ("plan", "runs", "curves"):
            if kinds.get(table) != "table":
                self.connection.close()
                raise InputError(f"{self.file}: not a study's store: it has no table {table}")
        self.has_scores = kinds.get("scores") == "table"
        return self

    def __exit__(self, *_: Any) -> None:
        self.connection.close()

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        try:
            return self.connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise InputError(f"{self.file}: not a study's store, or damaged ({error})") from None


def _text(file: pathlib.Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_SUMMARY_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    if len(data) > _MOST_SUMMARY_BYTES:
        raise InputError(f"{file}: larger than what a run writes")
    return data.decode("utf-8", "replace")


def _lines(file: pathlib.Path) -> Iterator[dict[str, Any]]:
    """Whole lines alone: a run that is training may be writing the last one."""
    if not file.is_file():
        return
    with file.open("rb") as stream:
        for line in iter(lambda: stream.readline(_MOST_LINE_BYTES), b""):
            if not line.endswith(b"\n"):
                continue
            try:
                point = json.loads(line)
            except ValueError:
                continue
            if isinstance(point, dict):
                yield {key: math.nan if value is None else value for key, value in point.items()}
