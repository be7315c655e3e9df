#!/usr/bin/env python3
"""Trains in two processes that torchrun and mpirun start, and kills one of them.

launchers.py GLIDEPATH; the interpreter that has torch is $GLIDEPATH_TEST_PYTHON, python3, or the one that
scripts/setup --python made. Ends with 77 where neither launcher is there.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from ranks import check, check_same_losses, environment, has_evaluated, mpirun, torchrun, wait_until

PROGRAM = sys.argv[1]
TRAIN = [PROGRAM, "train", "--quiet", "--data", "digits", "--precision", "fp32", "--base-lr", "0.05"]
SHORT = [*TRAIN, "--model", "mlp", "--budget", "2ep"]
LONG = [*TRAIN, "--model", "convnet", "--budget", "5000it", "--full", "5000it", "--eval-every", "20it",
        "--checkpoint-every", "100it"]


def rank_pids(run):
    """The processes that train `run`, by rank."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if words[0] != PROGRAM.encode() or str(run).encode() not in words:
                continue
            variables = dict(entry.split(b"=", 1) for entry in (folder / "environ").read_bytes().split(b"\0") if b"=" in entry)
        except OSError:
            continue
        rank = variables.get(b"OMPI_COMM_WORLD_RANK", variables.get(b"RANK"))
        if rank is not None:
            found[int(rank)] = int(folder.name)
    return found


def trains_the_same(folder, name, launcher):
    run = folder / name
    done = subprocess.run([*launcher, *SHORT, "--out", str(run)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=200, env=environment(OMP_NUM_THREADS=1), check=False)
    check(done.returncode == 0, f"{name}: {done.stderr}")
    count = check_same_losses(name, folder / "alone", run, ranks=2)
    print(f"{name}: the same {count} losses", flush=True)


def stops_when_one_is_killed(folder, name, launcher):
    run = folder / (name + "-killed")
    errors = folder / (name + ".err")
    with open(errors, "wb") as stream:
        job = subprocess.Popen([*launcher, *LONG, "--out", str(run)], stdin=subprocess.DEVNULL, stderr=stream,
                               env=environment(OMP_NUM_THREADS=1))
        wait_until(lambda: has_evaluated(run) or job.poll() is not None, errors.read_text)
        check(job.poll() is None, f"{name}: {errors.read_text()}")
        victim = rank_pids(run)[1]
        os.kill(victim, signal.SIGKILL)
        begun = time.monotonic()
        job.wait(timeout=100)
        seconds = time.monotonic() - begun
    text = errors.read_text()
    check(job.returncode != 0, f"{name}: ended well")
    check(seconds < 30, f"{name}: took {seconds:.0f} s")
    own = [line for line in text.splitlines() if line.startswith("glidepath train: ")]
    # A launcher that sees the death first may end the others by SIGTERM, which they may then tell of.
    check(len(own) <= 1, f"{name}: {text}")
    check(not own or f"rank 1 (host {os.uname().nodename}, pid {victim})" in own[0] or "stopped at update" in own[0],
          f"{name}: {text}")
    check(not rank_pids(run), f"{name}: processes are left")
    subprocess.run([PROGRAM, "train", "--quiet", "--resume", str(run), "--budget", "10000it", "--dry-run"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment(OMP_NUM_THREADS=1))
    print(f"{name}: stopped {seconds:.1f} s after the kill: {own}", flush=True)


def main():
    launchers = {"torchrun": torchrun(), "mpirun": mpirun()}
    ranks = {"torchrun": ["--nproc_per_node", "2"], "mpirun": ["-n", "2"]}
    missing = [name for name, command in launchers.items() if command is None]
    if missing:
        print("not there: " + ", ".join(missing) + "; scripts/setup --python --cluster installs them", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glidepath-launchers-"))
    try:
        subprocess.run([*SHORT, "--threads", "1", "--out", str(folder / "alone")], check=True, stdin=subprocess.DEVNULL,
                       env=environment(OMP_NUM_THREADS=1))
        for name, command in launchers.items():
            if command is not None:
                trains_the_same(folder, name, [*command, *ranks[name]])
                stops_when_one_is_killed(folder, name, [*command, *ranks[name]])
    finally:
        shutil.rmtree(folder)
    return 77 if len(missing) == len(launchers) else 0


sys.exit(main())
