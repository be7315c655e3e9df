#!/usr/bin/env python3
"""Kills runs with SIGKILL at random moments until they end, and compares them with runs left alone.

    kill_run.py PROGRAM [--kills 200] [--seed 0]
    kill_run.py PROGRAM --every-call [--first N] [--last N]

Weights, metrics and summary must be equal bit for bit, but for clock readings, and no run may complain of a
damaged file. With --every-call, strace kills the run in turn before every system call that changes a file, so
that each state the disk can be in between two of them is tried once; each is then resumed.
"""

import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import runs

# Quick runs with many checkpoints; those of "rewind" go back after they diverge.
KINDS = {
    "mlp": dict(budget="150it", eval_every="10it", checkpoint_every="1it"),
    "convnet": dict(model="convnet", width=0.25, budget="90it", eval_every="1ep", checkpoint_every="3it"),
    "plateau": dict(budget="330it", eval_every="25it", checkpoint_every="7it",
                    schedule="plateau(factor=0.5,patience=5%,threshold=0.05)"),
    "rewind": dict(budget="60it", eval_every="15it", checkpoint_every="2it", momentum=0, nesterov="false",
                   base_lr=5, on_divergence="rewind"),
    "measures": dict(model="convnet", width=0.25, budget="90it", eval_every="1ep", checkpoint_every="2it",
                     measure="grad-norm@points=9,weight-norm,grad-norm-online(peek=5)@every=17it"),
}
# Every call that can change a file or a folder; others leave the disk as it was.
CALLS = "write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,mkdir,mkdirat"


def start(program, folder, kind):
    """Goes on where there is something to go on with, as a user's job script does."""
    if (folder / "config.toml").exists():
        return runs.start(program, "--resume", folder)
    return runs.start(program, "--out", folder, *runs.arguments(**KINDS[kind]))


def signs_of_life(folder):
    """A session opens a TensorBoard file of its own with its first record."""
    board = folder / "tensorboard"
    return len(list(board.iterdir())) if board.exists() else 0


def kill_until_it_ends(program, folder, kind, seconds, dice, count):
    while True:
        before = signs_of_life(folder)
        process = start(program, folder, kind)
        if dice.random() < 0.1:  # while it loads, or at any time after
            time.sleep(dice.uniform(0, seconds["start"] + seconds["train"]))
        else:
            while process.poll() is None and signs_of_life(folder) == before:
                time.sleep(0.001)
            time.sleep(dice.expovariate(4 / seconds["train"]))
        process.kill()
        _, errors = process.communicate()
        complaints = [line for line in errors.splitlines() if "warning" in line and "diverged" not in line]
        if complaints or process.returncode not in (0, -9):
            sys.exit(f"{kind}: exit {process.returncode}: {errors}")
        if process.returncode == 0:
            return
        count["kills"] += 1
        count["while it trained"] += signs_of_life(folder) > before
        if (folder / "summary.json").exists():  # killed on its way out: it has finished
            return


def reference(program, folder, kind):
    started = time.monotonic()
    process = start(program, folder, kind)
    while process.poll() is None and signs_of_life(folder) == 0:
        time.sleep(0.001)
    begun = time.monotonic()
    _, errors = process.communicate()
    if process.returncode != 0:
        sys.exit(f"{kind}: the uninterrupted run: {errors}")
    return runs.outcome(folder), {"start": begun - started, "train": time.monotonic() - begun}


def at_random(program, scratch, options):
    dice = random.Random(options.seed)
    known = {kind: reference(program, scratch / kind, kind) for kind in KINDS}
    count = {"kills": 0, "while it trained": 0, "runs": 0}
    while count["kills"] < options.kills:
        kind = list(KINDS)[count["runs"] % len(KINDS)]
        folder = scratch / f"killed-{count['runs']}"
        result, seconds = known[kind]
        kill_until_it_ends(program, folder, kind, seconds, dice, count)
        runs.require_same(folder, result, kind)
        shutil.rmtree(folder)
        count["runs"] += 1
        print(f"{kind}: the same bits; {count['kills']} kills in {count['runs']} runs so far", flush=True)
    print(f"{count['kills']} kills, {count['while it trained']} of them while it trained, in {count['runs']} runs "
          f"(seed {options.seed}): every run ended with the same bits")


def at_every_call(program, scratch, options):
    if shutil.which("strace") is None:
        runs.skip("needs strace")
    kind = "mlp"
    KINDS[kind] = dict(budget="6it", eval_every="2it", checkpoint_every="2it")
    result, _ = reference(program, scratch / "whole", kind)
    command = [program, "train", *runs.arguments(**KINDS[kind]), "--quiet"]
    traced = subprocess.run(["strace", "-f", "-c", "-e", f"trace={CALLS}", *command, "--out",
                             scratch / "counted"], capture_output=True, text=True)
    if traced.returncode != 0:
        runs.skip(f"strace cannot trace here: {traced.stderr.strip().splitlines()[-1:]}")
    calls = {}
    for line in traced.stderr.splitlines():
        row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if row and row[2] != "total":
            calls[row[2]] = int(row[1])
    moments = [(call, number) for call, times in sorted(calls.items()) for number in range(1, times + 1)]
    moments = moments[options.first - 1:options.last]
    ended = 0
    for call, number in moments:
        folder = scratch / "killed"
        killed = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                 f"inject={call}:signal=SIGKILL:when={number}", *command, "--out", folder],
                                capture_output=True, text=True)
        ended += killed.returncode == 0
        if not (folder / "summary.json").exists():  # or else it has finished
            process = start(program, folder, kind)
            _, errors = process.communicate()
            if process.returncode != 0 or "warning" in errors:
                sys.exit(f"killed before {call} number {number}: exit {process.returncode}: {errors}")
        runs.require_same(folder, result, f"killed before {call} number {number}")
        shutil.rmtree(folder)
        print(f"before {call} number {number}: the same bits", flush=True)
    if moments and ended > len(moments) / 4:
        sys.exit(f"{ended} of {len(moments)} were not killed at all")
    print(f"killed before each of {len(moments)} calls that change files ({ended} came too late): every run "
          "ended with the same bits")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every-call", action="store_true")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int)
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    with tempfile.TemporaryDirectory(prefix="glidepath-kill-") as scratch:
        (at_every_call if options.every_call else at_random)(program, pathlib.Path(scratch), options)


if __name__ == "__main__":
    main()
