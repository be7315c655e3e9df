#!/usr/bin/env python3
"""Trains in two processes that torchrun and mpirun start, and kills one of them.

launchers.py GLIDEPATH; the interpreter that has torch is $GLIDEPATH_TEST_PYTHON, python3, or the one that
scripts/setup --python made. Ends with 77 where neither launcher is there.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1]
TRAIN = [PROGRAM, "train", "--quiet", "--data", "digits", "--precision", "fp32", "--base-lr", "0.05"]
SHORT = [*TRAIN, "--model", "mlp", "--budget", "2ep"]
LONG = [*TRAIN, "--model", "convnet", "--budget", "5000it", "--full", "5000it", "--eval-every", "20it",
        "--checkpoint-every", "100it"]


# As python -m torch.distributed.run; the default of its option --redirects is lost by PyTorch 1.13 on Python 3.11.
TORCHRUN = """
from torch.distributed.elastic.multiprocessing import Std
original = Std.from_str
Std.from_str = classmethod(lambda cls, text: original(text) or Std.NONE)
from torch.distributed.run import main
main()
"""


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def environment():
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("OMPI_", "PMI", "SLURM_", "TORCHELASTIC")) and
           name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    own["OMP_NUM_THREADS"] = "1"
    return own


def torchrun():
    made = pathlib.Path.home() / ".cache/glidepath/python/bin/python"
    for python in (os.environ.get("GLIDEPATH_TEST_PYTHON"), "python3", str(made)):
        if python and shutil.which(python) and subprocess.run(
                [python, "-c", "import torch.distributed.run"], capture_output=True, check=False).returncode == 0:
            return [python, "-c", TORCHRUN, "--no_python", "--nproc_per_node", "2"]
    return None


def mpirun():
    if not shutil.which("mpirun"):
        return None
    return ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"]


def curve(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines if line["kind"] == "train"]


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
                          text=True, timeout=200, env=environment(), check=False)
    check(done.returncode == 0, f"{name}: {done.stderr}")
    check(json.loads((run / "summary.json").read_text())["ranks"] == 2, f"{name}: not two ranks")
    alone, together = curve(folder / "alone"), curve(run)
    check(len(alone) == len(together) > 10, f"{name}: {len(together)} records")
    for (step, loss), (other_step, other) in zip(alone, together):
        check(step == other_step and abs(loss - other) < 1e-4 * loss, f"{name}: update {step}: {loss} {other}")
    print(f"{name}: the same {len(alone)} losses", flush=True)


def stops_when_one_is_killed(folder, name, launcher):
    run = folder / (name + "-killed")
    errors = folder / (name + ".err")
    with open(errors, "wb") as stream:
        job = subprocess.Popen([*launcher, *LONG, "--out", str(run)], stdin=subprocess.DEVNULL, stderr=stream,
                               env=environment())
        metrics = run / "metrics.jsonl"
        end = time.monotonic() + 120
        while not metrics.exists() or b'"eval"' not in metrics.read_bytes():
            check(time.monotonic() < end and job.poll() is None, f"{name}: {errors.read_text()}")
            time.sleep(0.05)
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
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment())
    print(f"{name}: stopped {seconds:.1f} s after the kill: {own}", flush=True)


def main():
    launchers = {"torchrun": torchrun(), "mpirun": mpirun()}
    missing = [name for name, command in launchers.items() if command is None]
    if missing:
        print("not there: " + ", ".join(missing) + "; scripts/setup --python --cluster installs them", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glidepath-launchers-"))
    try:
        subprocess.run([*SHORT, "--threads", "1", "--out", str(folder / "alone")], check=True, stdin=subprocess.DEVNULL,
                       env=environment())
        for name, command in launchers.items():
            if command is not None:
                trains_the_same(folder, name, command)
                stops_when_one_is_killed(folder, name, command)
    finally:
        shutil.rmtree(folder)
    return 77 if len(missing) == len(launchers) else 0


sys.exit(main())
