"""What the scripts here share: jobs of several ranks, their losses, and launchers that may be there."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

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


def run_cases(cases, test):
    """All of them, or those whose names hold the word that a script was given after the program."""
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for case in cases:
        if word in case.__name__:
            case(test)


def environment(**changes):
    """This one's, without what a launcher has left there."""
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("OMPI_", "PMI", "SLURM_", "TORCHELASTIC")) and
           name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    own.update({name: str(value) for name, value in changes.items()})
    return own


def torchrun():
    """The beginning of a command; nothing where no Python has torch."""
    made = pathlib.Path.home() / ".cache/glidepath/python/bin/python"
    for python in (os.environ.get("GLIDEPATH_TEST_PYTHON"), "python3", str(made)):
        if python and shutil.which(python) and subprocess.run(
                [python, "-c", "import torch.distributed.run"], capture_output=True, check=False).returncode == 0:
            return [shutil.which(python), "-c", TORCHRUN, "--no_python"]
    return None


def mpirun():
    return ["mpirun", "--allow-run-as-root", "--oversubscribe"] if shutil.which("mpirun") else None


def records(run, kind):
    return [line for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()) if line["kind"] == kind]


def check_same_losses(name, alone, run, ranks):
    """Update by update, but for rounding; gives their number."""
    check(json.loads((run / "summary.json").read_text())["ranks"] == ranks, f"{name}: not {ranks} ranks")
    one, many = records(alone, "train"), records(run, "train")
    check(len(one) == len(many) > 10, f"{name}: {len(many)} records, {len(one)} alone")
    for mine, other in zip(one, many):
        check(mine["step"] == other["step"] and abs(mine["loss"] - other["loss"]) < 1e-4 * mine["loss"],
              f"{name}: update {mine['step']}: {mine['loss']} {other['loss']}")
    return len(one)


def has_evaluated(run):
    metrics = run / "metrics.jsonl"
    return metrics.exists() and b'"eval"' in metrics.read_bytes()


def last_checkpoint(run):
    steps = [int(re.search(r"\d+", file.name).group()) for file in (run / "checkpoint").glob("step-*.safetensors")]
    return max(steps, default=0)


def wait_until(condition, what, seconds=120):
    """`what` is called for its text when the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f"waited {seconds} s: {what()}")
        time.sleep(0.05)
