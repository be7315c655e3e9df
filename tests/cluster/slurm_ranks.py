#!/usr/bin/env python3
"""Runs of several processes on a real Slurm of two nodes, started by srun.

  slurm_ranks.py PROGRAM [WORD]

Starts two machines (machines.py) and a Slurm on them (slurm_sandbox.py). Checked: that srun's processes find each other and
train what one does; that a job which is cancelled, preempted, near the end of its time or loses a process saves what it has,
says so, and goes on. With WORD only the cases whose name has it.
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import machines
import slurm_sandbox

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ranks"))
from ranks import (check, check_same_losses, environment, has_evaluated, last_checkpoint, records, run_cases,  # noqa: E402
                   wait_until)

PROGRAM = sys.argv[1]
MOST_SECONDS = 30
TRAIN = ["train", "--quiet", "--data", "digits", "--precision", "fp32", "--base-lr", "0.05"]
MLP = [*TRAIN, "--model", "mlp", "--budget", "24it", "--full", "24it"]
LONG = [*TRAIN, "--model", "convnet", "--width", "0.5", "--eval-every", "20it", "--checkpoint-every", "100it"]
# As in docs/cluster.md.
SCRIPT = """#!/bin/bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node={per_node}
#SBATCH --cpus-per-task=1
#SBATCH --time={minutes}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={run}.log

export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
if [ -e {run}/config.toml ]; then
  exec srun {program} train --quiet --resume {run} {again}
else
  exec srun {program} {train} --out {run}
fi
"""


class Test:
    def __init__(self, folder, slurm, nodes):
        self.folder, self.slurm, self.nodes = folder, slurm, nodes
        self.alone = folder / "alone"
        subprocess.run([PROGRAM, *MLP, "--out", str(self.alone)], check=True, stdin=subprocess.DEVNULL,
                       env=environment(OMP_NUM_THREADS=1))

    def submit(self, name, train, again="", per_node=1, minutes=10):
        run = self.folder / name
        script = self.folder / f"{name}.sbatch"
        script.write_text(SCRIPT.format(per_node=per_node, minutes=minutes, run=run, program=PROGRAM, again=again,
                                        train=" ".join(train)))
        job = self.slurm.run("sbatch", "--parsable", str(script)).strip()
        return job, run

    def state(self, job):
        told = self.slurm.run("scontrol", "show", "job", job)
        return re.search(r"JobState=(\w+)", told).group(1)

    def log(self, run):
        log = pathlib.Path(f"{run}.log")
        return log.read_text() if log.exists() else ""

    def wait_until_it_trains(self, job, run):
        wait_until(lambda: has_evaluated(run) or self.state(job) not in ("PENDING", "RUNNING"),
                   lambda: self.log(run) + self.slurm.logs())
        check(self.state(job) == "RUNNING", self.log(run))

    def wait_until_it_is(self, job, run, *states, seconds=200):
        begun = time.monotonic()
        wait_until(lambda: self.state(job) in states, lambda: f"{job} {self.state(job)}: {self.log(run)}", seconds)
        return time.monotonic() - begun

    def rank(self, run, rank):
        for node in self.nodes:
            for process in node.processes(PROGRAM, run):
                if process.environment.get("SLURM_PROCID") == str(rank) and "SLURM_STEP_NUM_TASKS" in process.environment:
                    return node, process
        raise AssertionError(f"no rank {rank} of {run}")


def srun_trains_the_same(test):
    for per_node in (1, 2):
        run = test.folder / f"srun-{per_node}"
        begun = time.monotonic()
        job = test.slurm.command("srun", "--quiet", "-N", "2", "-n", str(2 * per_node), f"--ntasks-per-node={per_node}",
                                 PROGRAM, *MLP, "--threads", "1", "--out", str(run), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True)
        printed, _ = job.communicate(timeout=200)
        check(job.returncode == 0 and printed == "", f"srun: {job.returncode}: {printed}")
        count = check_same_losses(f"srun of {2 * per_node}", test.alone, run, 2 * per_node)
        print(f"srun -N 2 -n {2 * per_node}: the same {count} losses, {time.monotonic() - begun:.1f} s", flush=True)


def sbatch_trains_the_same(test):
    job, run = test.submit("batch", MLP, per_node=2)
    test.wait_until_it_is(job, run, "COMPLETED", "FAILED", "CANCELLED")
    check(test.state(job) == "COMPLETED", test.log(run))
    count = check_same_losses("sbatch", test.alone, run, 4)
    print(f"sbatch of srun on 2 nodes of 2: the same {count} losses", flush=True)


def cancelled(test):
    job, run = test.submit("cancelled", [*LONG, "--budget", "5000it", "--full", "5000it"], "--budget 5000it")
    test.wait_until_it_trains(job, run)
    test.slurm.run("scancel", job)
    seconds = test.wait_until_it_is(job, run, "CANCELLED")
    wait_until(lambda: not any(node.processes(PROGRAM, run) for node in test.nodes), lambda: test.log(run), MOST_SECONDS)
    step = last_checkpoint(run)
    check(step >= records(run, "train")[-1]["step"] > 0, f"saved update {step}: {test.log(run)}")
    said = [line for line in test.log(run).splitlines() if line.startswith("glidepath train: ")]
    check(said == [f"glidepath train: stopped at update {step}; go on with: glidepath train --resume {run}"], test.log(run))
    # With one process, without Slurm.
    subprocess.run([PROGRAM, "train", "--quiet", "--resume", str(run), "--budget", f"{step + 40}it"], check=True,
                   stdin=subprocess.DEVNULL, env=environment(OMP_NUM_THREADS=1))
    check(json.loads((run / "summary.json").read_text())["updates"] == step + 40, "does not go on")
    print(f"scancel: saved update {step}, ended after {seconds:.1f} s", flush=True)


def preempted(test):
    updates = 3000  # seconds more than Slurm takes to preempt it
    train = [*LONG, "--budget", f"{updates}it", "--full", f"{updates}it"]
    whole = test.folder / "whole"
    subprocess.run([PROGRAM, "launch", "-n", "2", "--threads-per-rank", "1", *train, "--out", str(whole)], check=True,
                   stdin=subprocess.DEVNULL, env=environment())
    job, run = test.submit("preempted", train)
    test.wait_until_it_trains(job, run)
    test.slurm.run("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 2")
    test.wait_until_it_is(job, run, "PENDING", "COMPLETED")
    check(test.state(job) == "PENDING", f"was not preempted: {test.log(run)}")
    wait_until(lambda: not any(node.processes(PROGRAM, run) for node in test.nodes), lambda: test.log(run), MOST_SECONDS)
    step = last_checkpoint(run)
    check(0 < step < updates, f"saved update {step}")
    # Without the two minutes that Slurm lets it wait.
    def has_ended():
        test.slurm.run("scontrol", "update", f"jobid={job}", "StartTime=now", check=False)
        return test.state(job) in ("COMPLETED", "FAILED", "CANCELLED")
    wait_until(has_ended, lambda: test.log(run) + test.slurm.logs(), 200)
    check(test.state(job) == "COMPLETED", test.log(run))
    check(json.loads((run / "summary.json").read_text())["updates"] == updates, test.log(run))
    check((run / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes(),
          "another result than that of a run that was let alone")
    print(f"preempted: saved update {step}, went on by itself, ends with the bits of a run that was let alone", flush=True)


def a_rank_is_killed(test):
    job, run = test.submit("killed", [*LONG, "--budget", "5000it", "--full", "5000it"])
    test.wait_until_it_trains(job, run)
    node, victim = test.rank(run, 1)
    victim.send(signal.SIGKILL)
    seconds = test.wait_until_it_is(job, run, "FAILED", "COMPLETED", "CANCELLED", "PENDING")
    log = test.log(run)
    print(f"killed: {seconds:.1f} s, {test.state(job)}: {log}", flush=True)
    check(seconds < MOST_SECONDS, f"took {seconds:.0f} s: {log}")
    check(test.state(job) == "FAILED", log)
    check(log.count("glidepath train: ") == 1 and f"rank 1 (host {node.name}, pid {victim.pid_there})" in log, log)
    check(f"stopped at update {last_checkpoint(run)};" in log, log)


def ends_before_the_job_does(test):
    begun = time.time()
    job, run = test.submit("deadline", [*LONG, "--budget", "slurm"], minutes=1)
    test.wait_until_it_is(job, run, "COMPLETED", "TIMEOUT", "FAILED", "CANCELLED")
    check(test.state(job) == "COMPLETED", f"{test.state(job)}: {test.log(run)}")
    summary = json.loads((run / "summary.json").read_text())
    print(f"--budget slurm: {summary['updates']} updates in {summary['seconds']:.2f} s, the job of 60 s took "
          f"{time.time() - begun:.1f} s; last lr {summary['last_update_lr']}", flush=True)
    check(summary["ranks"] == 2 and summary["final_lr"] == 0 and 20 < summary["seconds"] < 51, str(summary))


CASES = [srun_trains_the_same, sbatch_trains_the_same, cancelled, preempted, a_rank_is_killed, ends_before_the_job_does]


def main():
    reason = slurm_sandbox.why_not() or machines.why_not()
    if reason:
        print(f"skipped: {reason}")
        return 77
    with tempfile.TemporaryDirectory(prefix="glidepath-slurm-") as name:
        folder = pathlib.Path(name)
        with machines.Machines(folder) as nodes, slurm_sandbox.Sandbox(folder / "slurm", cpus=4, nodes=nodes) as slurm:
            run_cases(CASES, Test(folder, slurm, nodes))
    return 0


sys.exit(main())
