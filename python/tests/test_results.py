"""Runs written from Python and read by the program, runs and studies of the program read in Python."""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import pytest

import glidepath


def program() -> str:
    found = os.environ.get("GLIDEPATH_PROGRAM") or shutil.which("glidepath")
    built = pathlib.Path(__file__).parents[2] / "build" / "release" / "src" / "cli" / "glidepath"
    found = found or (str(built) if built.exists() else None)
    if not found:
        pytest.skip("the program glidepath is not built: scripts/build")
    return found


def write_run(path: pathlib.Path, seed: int = 1, schedule: str = "linear", accuracy: float = 0.75) -> None:
    glide = glidepath.Glide("20it", schedule, base_lr=0.1)
    config = {"schedule": schedule, "budget": "20it", "base_lr": 0.1, "seed": seed, "model": "UNet", "depth": 3}
    with glidepath.Run(path, config) as run:
        while not glide.done:
            lr = glide.lr
            glide.update()
            run.log(glide.step, loss=2.0 / glide.step, lr=lr, progress=glide.progress, accuracy=0.5)
            run.log_measure(glide.step, progress=glide.progress, lr=lr, grad_norm=1.0 / glide.step)
        run.log_eval(20, loss=1.0, accuracy=accuracy, progress=1.0)
        run.finish(test_accuracy=accuracy, test_loss=1.0, train_loss=0.1)


def test_a_run_is_read_back(tmp_path: pathlib.Path) -> None:
    write_run(tmp_path / "a")
    run = glidepath.load_run(tmp_path / "a")
    assert run.config["schedule"] == "linear" and run.config["loop"] == {"model": "UNet", "depth": 3}
    assert run.summary["status"] == "done" and run.summary["updates"] == 20
    assert len(run.metrics) == 41
    assert run.metrics[0]["loss"] == 2.0 and math.isnan(run.metrics[0]["epoch"])
    pytest.importorskip("pandas")
    frame = run.frame("measure")
    assert frame.shape[0] == 20 and frame["grad_norm"].iloc[-1] == 0.05


def test_the_program_reports_and_watches_runs_of_other_loops(tmp_path: pathlib.Path) -> None:
    runs = tmp_path / "runs"
    for seed in (1, 2):
        write_run(runs / f"a{seed}", seed)
        write_run(runs / f"b{seed}", seed, "const", accuracy=0.5)
    report = subprocess.run(
        [program(), "report", str(runs), "--out", str(tmp_path / "out")], capture_output=True, text=True
    )
    assert report.returncode == 0, report.stderr
    page = (tmp_path / "out" / "report.md").read_text()
    assert "UNet" in page and "75.00" in page and "50.00" in page
    watched = subprocess.run([program(), "watch", str(runs), "--json"], capture_output=True, text=True, timeout=60)
    assert json.loads(watched.stdout)["done"] == 4, watched.stderr
    assert subprocess.run([program(), "report", str(runs / "a1"), "--out", str(tmp_path / "one")]).returncode == 0


def test_runs_are_not_overwritten_and_can_be_gone_on_with(tmp_path: pathlib.Path) -> None:
    write_run(tmp_path / "a")
    with pytest.raises(glidepath.InputError, match="holds a run already"):
        glidepath.Run(tmp_path / "a", {})
    with pytest.raises(glidepath.InputError, match="no run to go on with"):
        glidepath.Run(tmp_path / "b", {}, resume=True)
    with glidepath.Run(tmp_path / "a", resume=True) as run:
        assert not (tmp_path / "a" / "summary.json").exists()
        run.log(21, loss=0.1)
    again = glidepath.load_run(tmp_path / "a")
    assert again.metrics[-1]["step"] == 21 and again.summary == {} and again.config["seed"] == 1


def test_a_run_left_by_an_exception_has_failed(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ZeroDivisionError), glidepath.Run(tmp_path / "a", {"seed": 1}):
        _ = 1 / 0
    assert glidepath.load_run(tmp_path / "a").summary["status"] == "ZeroDivisionError: division by zero"


def test_what_a_run_cannot_hold_is_refused(tmp_path: pathlib.Path) -> None:
    for config in ({"a b": 1}, {"x": object()}, {"": 1}, {"x": {"y": 1}}):
        with pytest.raises(glidepath.InputError, match="config"):
            glidepath.Run(tmp_path / "wrong", config)
        assert not (tmp_path / "wrong").exists()
    run = glidepath.Run(tmp_path / "a", {"note": 'a "quoted" \n line', "nan": math.nan, "many": [1, "two", False]})
    with pytest.raises(glidepath.InputError, match="test_accuracy 75"):
        run.finish(test_accuracy=75)
    run.log(1, loss=math.inf)
    run.finish()
    with pytest.raises(glidepath.InputError, match="has ended"):
        run.log(2, loss=1)
    loop = glidepath.load_run(tmp_path / "a").config["loop"]
    assert loop["note"] == 'a "quoted" \n line' and loop["many"] == [1, "two", False] and math.isnan(loop["nan"])


def test_metrics_are_not_written_through_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "a" / "metrics.jsonl").symlink_to(tmp_path / "mine")
    with pytest.raises(glidepath.RunError):
        glidepath.Run(tmp_path / "a", {})
    assert (tmp_path / "mine").read_text() == "mine"


def test_tensorboard_reads_the_events(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write_run(tmp_path / "a")
    events = EventAccumulator(str(tmp_path / "a" / "tensorboard"))
    events.Reload()
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx([2 / i for i in range(1, 21)])


DIGITS = {"data": "digits", "model": "mlp", "threads": 1, "test_limit": 50}


def test_train_and_load_run(tmp_path: pathlib.Path) -> None:
    run = glidepath.train(tmp_path / "a", program=program(), quiet=True, budget="40it", **DIGITS)
    assert run.summary["status"] == "done" and run.summary["updates"] == 40 and run.config["model"] == "mlp"
    assert run.metrics[-1]["progress"] == 1
    with pytest.raises(glidepath.InputError, match='budget "soon"'):
        glidepath.train(tmp_path / "b", program=program(), quiet=True, budget="soon", **DIGITS)
    assert not (tmp_path / "b").exists()
    with pytest.raises(glidepath.InputError, match="--no-such"):
        glidepath.train(tmp_path / "b", program=program(), quiet=True, no_such=1)
    with pytest.raises(glidepath.InputError, match="cannot be run"):
        glidepath.train(tmp_path / "b", program="/no/such/program")


def test_study_and_load_study(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(
        '[base]\ndata = "digits"\nmodel = "mlp"\nthreads = 1\nfull = "2ep"\nmeasure = "weight-norm"\n'
        '[grid]\nschedule = ["linear", "const"]\nbudget = ["50%", "100%"]\n'
    )
    study = glidepath.study(file, tmp_path / "out", set={"seed": [1, 2]}, quiet=True, program=program())
    assert study.axes == ["schedule", "budget", "seed"] and len(study.runs) == 8
    assert all(run.status == "done" and 0 < run.results["test_accuracy"] <= 1 for run in study.runs)
    rows = {line.split(",")[0]: line for line in (tmp_path / "out" / "results.csv").read_text().splitlines()}
    assert all(f"{run.results['test_accuracy']:g}"[:5] in rows[run.id] for run in study.runs)
    curve, measures = study.curve(study.runs[0].id), study.measures(study.runs[0].id)
    assert curve[-1]["progress"] == 1 and "weight_norm" in {row["name"] for row in measures}
    with pytest.raises(glidepath.InputError, match="has no run x"):
        study.curve("x")
    pytest.importorskip("pandas")
    assert study.frame().groupby("schedule")["test_accuracy"].mean().shape == (2,)


def test_what_is_no_run_or_study_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(glidepath.InputError, match="no run there"):
        glidepath.load_run(tmp_path)
    with pytest.raises(glidepath.InputError, match="no study there"):
        glidepath.load_study(tmp_path)
    (tmp_path / "config.toml").write_text("= 5")
    with pytest.raises(glidepath.InputError, match="not valid TOML"):
        glidepath.load_run(tmp_path)
    (tmp_path / "config.toml").write_text("seed = 5")
    (tmp_path / "metrics.jsonl").write_text('{"kind":"train","step":1}\n[]\n{"half')
    assert len(glidepath.load_run(tmp_path).metrics) == 1
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(glidepath.InputError, match="is damaged"):
        glidepath.load_run(tmp_path)
    (tmp_path / "study.sqlite").write_bytes(b"x" * 4096)
    with pytest.raises(glidepath.InputError, match="not a study's store"):
        glidepath.load_study(tmp_path)


# A view could run whatever its maker put into it.
def test_views_in_the_place_of_tables_are_refused(tmp_path: pathlib.Path) -> None:
    store = sqlite3.connect(tmp_path / "study.sqlite")
    store.executescript(
        "CREATE TABLE plan (key, value); CREATE TABLE curves (x); CREATE VIEW runs AS SELECT 1 AS position;"
    )
    store.close()
    with pytest.raises(glidepath.InputError, match="no table runs"):
        glidepath.load_study(tmp_path)


def test_import_is_quick() -> None:
    code = "import time; begun = time.perf_counter(); import glidepath; print(time.perf_counter() - begun)"
    times = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
        for _ in range(5)
    ]
    assert min(times) < 0.2  # 0.03 s where nothing else runs: docs/python.md


def write_regression(
    path: pathlib.Path, loss: float, seed: int = 1, schedule: str = "linear", **results: float
) -> None:
    config = {"schedule": schedule, "budget": "50%", "base_lr": 0.1, "seed": seed, "model": "MLP"}
    with glidepath.Run(path, config) as run:
        for step in range(1, 21):
            run.log(step, loss=2.0 / step, lr=0.1 * (1 - step / 20), progress=step / 20)
        run.log_eval(20, loss=loss, progress=1.0)
        run.finish(**results)


def test_a_run_without_an_accuracy_is_shown_by_its_loss(tmp_path: pathlib.Path) -> None:
    runs = tmp_path / "runs"
    for seed in (1, 2):
        write_regression(runs / f"a{seed}", 0.25, seed)
        write_regression(runs / f"b{seed}", 0.5, seed, "const", test_loss=0.75)
    assert glidepath.load_run(runs / "a1").summary["test_loss"] == 0.25  # as it was logged last
    assert glidepath.load_run(runs / "a1").summary["train_loss"] == 0.1
    out = tmp_path / "out"
    report = subprocess.run([program(), "report", str(runs), "--out", str(out)], capture_output=True, text=True)
    assert report.returncode == 0, report.stderr
    assert "figure 1 needs runs with a test accuracy" in report.stderr + report.stdout
    for name in ("report.md", "table.md", "report.html", "table.tex"):
        text = (out / name).read_text()
        assert "loss 0.2500" in text and "loss 0.7500" in text and "lower is better" in text, name
        assert name == "report.html" or "failed" not in text, name
    assert "| test loss |" in (out / "report.md").read_text()
    watched = subprocess.run([program(), "watch", str(runs), "--json"], capture_output=True, text=True, timeout=60)
    seen = json.loads(watched.stdout)
    assert (seen["done"], seen["failed"]) == (4, 0)
    one = subprocess.run([program(), "report", str(runs / "a1"), "--out", str(tmp_path / "one")], capture_output=True)
    assert one.returncode == 0, one.stderr


def test_runs_with_and_without_an_accuracy_stand_side_by_side(tmp_path: pathlib.Path) -> None:
    runs = tmp_path / "runs"
    write_run(runs / "a", 1, "linear")
    write_regression(runs / "b", 0.5, 1, "const")
    report = subprocess.run(
        [program(), "report", str(runs), "--out", str(tmp_path / "out")], capture_output=True, text=True
    )
    assert report.returncode == 0, report.stderr
    text = (tmp_path / "out" / "report.md").read_text()
    assert "75.00" in text and "loss 0.5000" in text


def test_a_run_with_neither_is_told_to_have_failed(tmp_path: pathlib.Path) -> None:
    write_run(tmp_path / "runs" / "a")
    with glidepath.Run(tmp_path / "runs" / "b", {"schedule": "const"}) as run:
        run.finish(f1=0.5)
    watched = subprocess.run(
        [program(), "watch", str(tmp_path / "runs"), "--json"], capture_output=True, text=True, timeout=60
    )
    seen = json.loads(watched.stdout)
    assert (seen["done"], seen["failed"]) == (1, 1)
