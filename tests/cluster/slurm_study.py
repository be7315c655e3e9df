#!/usr/bin/env python3
"""A study on a real Slurm, against the same study of the local executor.

  slurm_study.py PROGRAM

Starts a Slurm of its own on this machine (slurm_sandbox.py). One task is preempted, one is cancelled with scancel, one is
told that its time limit is near, one is cancelled by `study cancel`; arrays are split for their size. Checked: what status
says of each, that only what is missing is submitted again, and that the collected study equals the local one: weights
and metrics bit for bit, tables and figures byte for byte (but for times).
"""
import csv
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import slurm_sandbox

STUDY = """
[base]
data = "digits"
model = "mlp"
full = "1000ep"
batch_size = 32
eval_every = "end"
precision = "fp32"
[grid]
schedule = ["linear", "step-d2"]
budget = ["10%", "100%"]
seed = [1, 2]
[slurm]
time = "20m"
array_limit = 2
"""
# What differs from one local study to the next as well.
TIMES = {"seconds", "images_per_second", "peak_memory_mib", "attempts"}
PATIENCE = 240


def fail(message):
    sys.exit(f"slurm_study.py: {message}")


def require(condition, message):
    if not condition:
        fail(message)


class Test:
    def __init__(self, program, folder, slurm):
        self.program, self.folder, self.slurm = program, folder, slurm
        self.study, self.out = folder / "s.toml", folder / "out"
        self.study.write_text(STUDY)

    def glidepath(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], env=self.slurm.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        require(done.returncode == 0, f"{' '.join(map(str, arguments))}: exit status {done.returncode}: {done.stderr}")
        return done.stdout

    def submit(self, *more):
        return json.loads(self.glidepath("study", self.study, "--out", self.out, "--executor", "slurm", "--json", *more))

    def status(self):
        status = json.loads(self.glidepath("study", "status", self.out, "--json"))
        require(status["warning"] == "", status["warning"])
        return status

    def wait(self, condition, what):
        """Until condition(run) holds of some run of the status; returns that run."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for run in self.status()["runs"]:
                if condition(run):
                    return run
            time.sleep(0.3)
        fail(f"waited {PATIENCE} s for {what}: {json.dumps(self.status()['counts'])}\n{self.slurm.logs()}")

    def wait_for_end(self):
        end = time.monotonic() + PATIENCE
        while True:
            counts = self.status()["counts"]
            if counts["queued"] + counts["running"] + counts["preempted"] == 0:
                return counts
            if time.monotonic() > end:
                fail(f"waited {PATIENCE} s for the end: {counts}\n{self.slurm.logs()}")
            time.sleep(0.5)

    def run_of(self, run_id):
        return next(run for run in self.status()["runs"] if run["id"] == run_id)

    def wait_until_training(self, array):
        """A long run of the job array, well on its way and far from its end."""
        return self.wait(lambda run: run["state"] == "running" and run["job"].startswith(f"{array}_")
                         and run["axes"]["budget"] == "100%" and 0 < run["progress"] < 0.6, f"a long run of array {array}")

    def wait_until_back(self, run):
        """Once a stopped task is in the queue again, without the 2 minutes that Slurm lets it wait."""
        self.wait(lambda now: now["id"] == run["id"] and now["state"] == "preempted", f"{run['job']} to be back in the queue")
        end = time.monotonic() + PATIENCE
        while self.run_of(run["id"])["state"] == "preempted" and time.monotonic() < end:
            self.slurm.run("scontrol", "update", f"jobid={run['job']}", "StartTime=now", check=False)
            time.sleep(0.5)


def check_preempted_and_requeued(test, arrays):
    preempted = test.wait_until_training(arrays[0])
    test.slurm.run("sbatch", "--partition=high", "--ntasks=2", "--output=/dev/null", "--wrap=sleep 2")
    test.wait_until_back(preempted)

    cancelled = test.wait_until_training(arrays[1])
    test.slurm.run("scancel", cancelled["job"])
    test.wait(lambda run: run["id"] == cancelled["id"] and run["state"] == "cancelled", "a cancelled task")

    near_limit = test.wait_until_training(arrays[2])
    test.slurm.run("scancel", "--signal=USR1", "--batch", near_limit["job"])
    test.wait_until_back(near_limit)

    counts = test.wait_for_end()
    require(counts["done"] == 7 and counts["cancelled"] == 1, f"after three disturbed tasks: {counts}")
    for run in (preempted, near_limit):
        now = test.run_of(run["id"])
        require(now["attempts"] == 2, f"{run['job']} was taken up {now['attempts']} times, not 2")
        log = (test.out / "runs" / run["id"] / "log.txt").read_text()
        require("damaged" not in log, log)
    return cancelled


def check_submission_again(test, cancelled):
    again = test.submit()
    require(again["submitted"] == 1 and again["ended"] == 7, f"submitted again: {again}")
    require(test.submit()["submitted"] == 0, "what is in the queue was submitted again")
    test.wait(lambda run: run["id"] == cancelled["id"] and run["state"] == "running", "the submitted run to go on")
    test.glidepath("study", "cancel", test.out)
    test.wait(lambda run: run["id"] == cancelled["id"] and run["state"] == "cancelled", "study cancel")
    require(test.submit()["submitted"] == 1, "a cancelled study does not go on")
    counts = test.wait_for_end()
    require(counts["done"] == 8, f"at the end: {counts}")
    require(test.submit()["submitted"] == 0, "a finished study was submitted again")


def results(out):
    rows = list(csv.DictReader(io.StringIO((out / "results.csv").read_text())))
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def metrics(run):
    """metrics.jsonl without its clock readings."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if not re.search("second", key)} for line in lines]


def compare(local, cluster):
    require(results(local) == results(cluster), "results.csv differ")
    names = [f"table.{kind}" for kind in ("md", "csv", "tex")]
    names += [str(file.relative_to(local)) for file in (local / "figures").glob("*.csv")]
    require(len(names) >= 4, "no figures to compare")
    for name in names:
        require((local / name).read_bytes() == (cluster / name).read_bytes(), f"{name} differ")
    runs = sorted(run.name for run in (local / "runs").iterdir())
    require(len(runs) == 8, f"{len(runs)} local runs")
    for run in runs:
        mine, other = local / "runs" / run, cluster / "runs" / run
        require((mine / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes(),
                f"weights of run {run} differ")
        require(metrics(mine) == metrics(other), f"metrics of run {run} differ")


def main():
    program = sys.argv[1]
    reason = slurm_sandbox.why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="glidepath-slurm-") as name:
        folder = pathlib.Path(name)
        with slurm_sandbox.Sandbox(folder / "slurm", cpus=2, max_array_size=3) as slurm:
            test = Test(program, folder, slurm)
            local = folder / "local"
            test.glidepath("study", test.study, "--out", local, "--quiet")
            test.glidepath("report", local)

            planned = test.submit("--dry-run")
            require(planned["submitted"] == 8 and slurm.run("squeue", "-h") == "", "a dry run submitted something")
            first = test.submit()
            require([array["tasks"] for array in first["arrays"]] == [3, 3, 2], f"arrays of 3 tasks at most: {first}")
            cancelled = check_preempted_and_requeued(test, [array["job_id"] for array in first["arrays"]])
            check_submission_again(test, cancelled)

            require(not list(test.out.rglob("*.sqlite*")), "a task or status opened SQLite in the shared folder")
            require(not list(test.out.rglob("*.lock*")), "a task left its lock")
            test.glidepath("study", "collect", test.out, "--quiet")
            test.glidepath("report", test.out)
            compare(local, test.out)
    print("8 runs in 5 job arrays; 1 preempted, 1 near its limit, 2 cancelled; equal to the local study")


main()
