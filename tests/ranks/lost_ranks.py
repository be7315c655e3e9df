#!/usr/bin/env python3
"""Kills and stops processes of a job of two and looks at what the others say, how soon, and what is left.

lost_ranks.py GLIDEPATH
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from ranks import check, environment, has_evaluated, last_checkpoint, wait_until

PROGRAM = sys.argv[1]
MOST_SECONDS = 30
TRAIN = ["train", "--quiet", "--data", "digits", "--model", "convnet", "--precision", "fp32", "--threads", "1",
         "--full", "3000it", "--budget", "3000it", "--base-lr", "0.02", "--eval-every", "20it",
         "--checkpoint-every", "100it"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Job:
    """Two ranks: started by `glidepath launch`, or one by one with the variables of torchrun."""

    def __init__(self, folder, name, launched):
        self.run = folder / name
        self.errors = folder / (name + ".err")
        with open(self.errors, "wb") as errors:
            if launched:
                command = [PROGRAM, "launch", "-n", "2", *TRAIN, "--out", str(self.run)]
                self.parents = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors, env=environment())]
            else:
                port = free_port()
                self.parents = [
                    subprocess.Popen([PROGRAM, *TRAIN, "--out", str(self.run)], stdin=subprocess.DEVNULL, stderr=errors,
                                     env=environment(RANK=rank, WORLD_SIZE=2, LOCAL_RANK=rank, LOCAL_WORLD_SIZE=2,
                                                     MASTER_ADDR="127.0.0.1", MASTER_PORT=port, OMP_NUM_THREADS=1))
                    for rank in range(2)]
        self.launched = launched

    def pid_of(self, rank):
        if not self.launched:
            return self.parents[rank].pid
        for child in pathlib.Path(f"/proc/{self.parents[0].pid}/task/{self.parents[0].pid}/children").read_text().split():
            variables = pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
            if f"RANK={rank}".encode() in variables:
                return int(child)
        raise AssertionError(f"launch has no child of rank {rank}")

    def wait_until_it_trains(self):
        wait_until(lambda: has_evaluated(self.run) or any(parent.poll() is not None for parent in self.parents),
                   self.errors.read_text)
        check(all(parent.poll() is None for parent in self.parents), "ended early: " + self.errors.read_text())

    def wait(self, without=()):
        """Seconds until all have ended, and their exit statuses."""
        begun = time.monotonic()
        waited_for = [parent for rank, parent in enumerate(self.parents) if self.launched or rank not in without]
        for parent in waited_for:
            parent.wait(timeout=120)
        return time.monotonic() - begun, [parent.returncode for parent in waited_for]

    def clean(self):
        for parent in self.parents:
            if parent.poll() is None:
                parent.kill()
                parent.wait()


def lose(folder, name, launched, rank, number):
    job = Job(folder, name, launched)
    try:
        job.wait_until_it_trains()
        victim = job.pid_of(rank)
        os.kill(victim, number)
        seconds, statuses = job.wait(without=(rank,))
        text = job.errors.read_text()
        check(seconds < MOST_SECONDS, f"{name}: took {seconds:.0f} s: {text}")
        check(statuses == [1], f"{name}: ended with {statuses}: {text}")
        check(text.count("\n") == 1, f"{name}: not one message: {text!r}")
        host = socket.gethostname()
        check(f"rank {rank} (host {host}, pid {victim})" in text, f"{name}: names no rank: {text}")
        check(f"go on with: glidepath train --resume {job.run}" in text, f"{name}: {text}")
        step = last_checkpoint(job.run)
        check(rank == 0 or step > 0, f"{name}: rank 0 lived and saved nothing")
        if rank == 1:
            check(f"stopped at update {step};" in text, f"{name}: saved update {step}: {text}")
    finally:
        if number == signal.SIGSTOP and not launched:
            os.kill(victim, signal.SIGKILL)
        job.clean()
    print(f"{name}: {seconds:.1f} s, checkpoint of update {step}: {text.strip()}", flush=True)
    # The same updates again: what was saved is the state of a run that nothing has happened to.
    subprocess.run([PROGRAM, "train", "--quiet", "--resume", str(job.run), "--budget", f"{step + 40}it"], check=True,
                   stdin=subprocess.DEVNULL, env=environment(OMP_NUM_THREADS=1))
    check(json.loads((job.run / "summary.json").read_text())["updates"] == step + 40, f"{name}: does not go on")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glidepath-lost-"))
    try:
        lose(folder, "kill-1-launched", True, 1, signal.SIGKILL)
        lose(folder, "kill-0-launched", True, 0, signal.SIGKILL)
        lose(folder, "stop-1-launched", True, 1, signal.SIGSTOP)
        lose(folder, "stop-0-launched", True, 0, signal.SIGSTOP)
        lose(folder, "kill-1-by-variables", False, 1, signal.SIGKILL)
        lose(folder, "kill-0-by-variables", False, 0, signal.SIGKILL)
        lose(folder, "stop-0-by-variables", False, 0, signal.SIGSTOP)
    finally:
        shutil.rmtree(folder)


main()
