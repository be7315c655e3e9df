#!/usr/bin/env python3
"""Kills studies at random moments until they have ended, and compares what is left with an uninterrupted study.

  kill_study.py --trainer PROGRAM [--driver PROGRAM] --kills N [--processes N] [--seed N]

Each kill is SIGKILL, to a study, to one of the runs it started, or to both at once; then the study is started
again. No study sees one of its runs killed a third time: it would take the run for one that cannot end. With --processes several studies share the folder. When a study has ended in spite of the kills, its folder is
compared with the uninterrupted one and a new study is begun, until there have been N kills. Promised and checked:

- every run that was finished at one moment is finished, with the same numbers, at every later one;
- no finished run is started again, and no two processes do one run at the same time;
- table.* and results.csv are the uninterrupted study's, byte for byte (but for columns that hold times and memory).

--trainer is `glidepath`; with --driver, tests/study's driver and its stand-in for the trainer instead.
"""
import argparse
import csv
import io
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

REAL_STUDY = """
[base]
data = "digits"
model = "mlp"
full = "4ep"
batch_size = 32
eval_every = "1ep"
precision = "fp32"
[grid]
schedule = ["linear", "step-d2"]
budget = ["25%", "100%"]
seed = [1, 2]
"""
FAKE_STUDY = """
[base]
data_dir = "20"
[grid]
schedule = ["linear", "const", "cosine"]
budget = ["1%", "10%", "100%"]
seed = [1, 2]
"""
# kGoesAfterKills in src/study/execute/run_process.h.
GOES_AFTER_KILLS = 2
# What differs from one uninterrupted study to the next as well.
TIMES = {"seconds", "images_per_second", "peak_memory_mib", "attempts"}


def fail(message):
    sys.exit(f"kill_study.py: {message}")


class Study:
    def __init__(self, options, folder):
        self.options = options
        self.file = folder / "study.toml"
        self.file.write_text(FAKE_STUDY if options.driver else REAL_STUDY)
        self.log = folder / "log"
        os.environ["FAKE_TRAINER_LOG"] = str(self.log)

    def start(self, out):
        if self.options.driver:
            command = [self.options.driver, self.file, out, self.options.trainer, "3"]
        else:
            command = [self.options.trainer, "study", self.file, "--out", out, "--jobs", "2", "--quiet"]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def children(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def run_of(pid):
    """The folder of the run that a process trains, from its arguments; None where it has ended."""
    try:
        words = (pathlib.Path("/proc") / str(pid) / "cmdline").read_text().split("\0")
    except OSError:
        return None
    for flag, value in zip(words, words[1:]):
        if flag in ("--out", "--resume") and pathlib.Path(value).parent.name == "runs":
            return value
    return None  # not the trainer yet


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return 1
    except ProcessLookupError:
        return 0


def finished_runs(out):
    """Identity and numbers of the runs that the store has as finished."""
    if not (out / "study.sqlite").exists():
        return {}
    store = sqlite3.connect(out / "study.sqlite", timeout=60)
    try:
        rows = store.execute("SELECT id, status, test_accuracy, test_loss, seconds, finished_at FROM runs "
                             "WHERE status IN ('done', 'diverged', 'failed')").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # killed before the tables were made
            return {}
        raise
    finally:
        store.close()
    return {row[0]: row[1:] for row in rows}


def results(out):
    """results.csv without the columns that hold times, and the tables as they are."""
    rows = list(csv.DictReader(io.StringIO((out / "results.csv").read_text())))
    kept = [{key: value for key, value in row.items() if key not in TIMES} for row in rows]
    return [kept] + [(out / f"table.{kind}").read_bytes() for kind in ("md", "csv", "tex")]


def wait(process, what):
    error = process.communicate()[1]
    if process.returncode != 0:
        fail(f"{what}: exit status {process.returncode}: {error}")


def kill_run(study, kills_of, rng):
    """Kills one of a study's runs that it would go on with; `kills_of` counts by study and run."""
    runs = [(pid, (study.pid, run_of(pid))) for pid in children(study.pid)]
    runs = [(pid, key) for pid, key in runs if key[1] and kills_of.get(key, 0) < GOES_AFTER_KILLS]
    if not runs:
        return 0
    pid, key = rng.choice(runs)
    kills_of[key] = kills_of.get(key, 0) + 1
    return kill(pid)


def strike(studies, kills_of, rng):
    """Kills a study, a run, or both; returns how many kills that were."""
    victim = rng.choice(studies)
    how = rng.choice(["study", "study", "run", "both"])
    if how == "run":
        return kill_run(victim, kills_of, rng)
    runs = children(victim.pid) if how == "both" else []
    count = kill(victim.pid) + sum(kill(pid) for pid in runs)
    victim.wait()
    return count


def restart_killed(study, out, running):
    for i, process in enumerate(running):
        if process.poll() is None or process.returncode == 0:
            continue
        error = process.stderr.read()
        process.stderr.close()
        if process.returncode != -signal.SIGKILL:
            fail(f"{out}: exit status {process.returncode}: {error}")
        running[i] = study.start(out)


def attack(study, out, longest, kills_left, rng):
    """Kills and restarts until the study has ended or enough kills are done; returns their number."""
    kills, known, kills_of = 0, {}, {}
    running = [study.start(out) for _ in range(study.options.processes)]
    while kills < kills_left:
        time.sleep(rng.uniform(0, longest))
        alive = [process for process in running if process.poll() is None]
        if not alive:
            break
        kills += strike(alive, kills_of, rng)
        now = finished_runs(out)
        for run, numbers in known.items():
            if now.get(run) != numbers:
                fail(f"{out}: run {run} was {numbers} and is {now.get(run)}")
        known = now
        restart_killed(study, out, running)
    for process in running:
        wait(process, f"{out}: left to itself")
    wait(study.start(out), f"{out}: started once more")
    return kills


def check_log(study):
    """What the stand-in for the trainer saw: a start after its end, or a second process in its folder."""
    if not study.options.driver:
        return
    done = set()
    for what, run in re.findall(r"(\S+) (\S+)\n", study.log.read_text()):
        if what == "overlap":
            fail(f"run {run} was done by two processes at once")
        if run in done:
            fail(f"run {run} had ended and was started again")
        if what == "done":
            done.add(run)
    study.log.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trainer", required=True)
    parser.add_argument("--driver")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="glidepath-kill-") as name:
        folder = pathlib.Path(name)
        study = Study(options, folder)
        begun = time.monotonic()
        wait(study.start(folder / "whole"), "uninterrupted")
        duration = time.monotonic() - begun
        check_log(study)
        expected = results(folder / "whole")
        kills = studies = 0
        while kills < options.kills:
            studies += 1
            out = folder / f"killed{studies}"
            # Kills are close enough for several in a study, and far enough for it to end some day.
            kills += attack(study, out, duration * rng.choice([0.05, 0.2, 0.5]), options.kills - kills, rng)
            check_log(study)
            if results(out) != expected:
                fail(f"{out}: another result:\n{(out / 'results.csv').read_text()}\n"
                     f"uninterrupted:\n{(folder / 'whole' / 'results.csv').read_text()}")
    print(f"{kills} kills in {studies} studies of {len(expected[0])} runs, {options.processes} process(es) each; "
          f"an uninterrupted one took {duration:.1f} s; all results equal")


if __name__ == "__main__":
    main()
