#!/usr/bin/env python3
"""Goes on with what an earlier version left: a run that was stopped in its middle, and half a study.

    old_files.py PROGRAM

The files are in tests/data/old/VERSION, with the script that made them. The run has to come to what the program comes
to from the start: the same bits where it also makes the first half as the other machine did, and within rounding where
not. Finished runs of the study stay as they are, and count.
"""

import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import runs

OLD = pathlib.Path(__file__).resolve().parent.parent / "data/old"


def fail(message):
    sys.exit(f"old_files.py: {message}")


def go_on_with_run(program, old, folder):
    shutil.copytree(old / "run", folder / "resumed")
    status, errors = runs.run(program, "--resume", folder / "resumed")
    if status != 0 or "warning" in errors:
        fail(f"{old}/run: exit {status}: {errors}")
    config = folder / "config.toml"
    shutil.copy(old / "run/config.toml", config)
    status, errors = runs.run(program, "--config", config, "--out", folder / "whole")
    if status != 0:
        fail(f"the same from the start: exit {status}: {errors}")
    resumed, whole = runs.outcome(folder / "resumed"), runs.outcome(folder / "whole")
    if [line for line in resumed["metrics"] if line["step"] <= 30] == [
            line for line in whole["metrics"] if line["step"] <= 30]:
        if resumed != whole:
            fail(f"{old}/run: the first half has the same bits, and the second does not")
        return "the same bits"
    for mine, other in zip(resumed["metrics"], whole["metrics"], strict=True):
        if abs(mine.get("loss", 0) - other.get("loss", 0)) > 0.01:
            fail(f"{old}/run: update {mine['step']} has loss {mine['loss']}, and {other['loss']} from the start")
    return "the same but for rounding"


def stored(out):
    return {row["budget"] + row["schedule"]: row for row in csv.DictReader(io.StringIO((out / "results.csv").read_text()))}


def go_on_with_study(program, old, folder):
    out = folder / "study"
    shutil.copytree(old / "study", out)
    finished = {path: path.read_bytes() for path in out.glob("runs/*/*") if path.is_file()}
    done = subprocess.run([program, "study", old / "study.toml", "--out", out, "--quiet"], capture_output=True,
                          text=True, timeout=300, check=False)
    if done.returncode != 0:
        fail(f"{old}/study: exit {done.returncode}: {done.stderr}")
    if any(path.read_bytes() != content for path, content in finished.items()):
        fail(f"{old}/study: a finished run was made again")
    if len(list(out.glob("runs/*/summary.json"))) != 4:
        fail(f"{old}/study: not four runs")
    for summary in finished:
        if summary.name == "summary.json":
            told = json.loads(summary.read_text())
            row = stored(out)[told["budget"] + told["schedule"]]
            if abs(float(row["test_accuracy"]) - told["test_accuracy"]) > 1e-6:
                fail(f"{old}/study: results.csv has {row['test_accuracy']} for {told}")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    os.environ["OMP_NUM_THREADS"] = "1"
    for old in sorted(OLD.iterdir()):
        with tempfile.TemporaryDirectory() as folder:
            how = go_on_with_run(program, old, pathlib.Path(folder))
            go_on_with_study(program, old, pathlib.Path(folder))
        print(f"{old.name}: the run ends with {how}; the study is done")


if __name__ == "__main__":
    main()
