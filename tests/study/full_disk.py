#!/usr/bin/env python3
"""Fills the disk under a study, and makes it read-only; the store must hold what it held, and the study go on.

  full_disk.py PROGRAM          PROGRAM is `glidepath`

Mounts a small file system of its own in a namespace of its own; exit status 77 where that is not allowed.
"""
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

STUDY = """
[base]
data = "digits"
model = "mlp"
full = "1ep"
batch_size = 32
eval_every = "end"
[grid]
schedule = ["linear", "const", "cosine"]
seed = [1, 2, 3, 4]
"""


def fail(message):
    sys.exit(f"full_disk.py: {message}")


def enter_namespace():
    """Goes on in a process that may mount, or ends with 77."""
    if os.environ.get("FULL_DISK_INSIDE"):
        return
    environment = {**os.environ, "FULL_DISK_INSIDE": "1"}
    flags = ["-m"] if os.geteuid() == 0 else ["-Urm"]
    if shutil.which("unshare") is None or subprocess.run(["unshare", *flags, "true"]).returncode != 0:
        print("full_disk.py: mounting is not allowed here")
        sys.exit(77)
    sys.exit(subprocess.run(["unshare", *flags, sys.executable, *sys.argv], env=environment).returncode)


def run_study(program, file, out):
    command = [program, "study", file, "--out", out, "--jobs", "2", "--quiet"]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True)


def statuses(out):
    store = sqlite3.connect(out / "study.sqlite")
    if store.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        fail("the store is damaged")
    rows = dict(store.execute("SELECT id, status FROM runs").fetchall())
    store.close()
    return rows


def expect_one_error(result, *parts):
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    if result.returncode != 1 or len(lines) != 1 or not all(re.search(part, lines[0]) for part in parts):
        fail(f"expected exit status 1 and one line with {parts}, got {result.returncode} and:\n{result.stderr}")
    print(lines[0])


def main():
    enter_namespace()
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="glidepath-disk-") as name:
        disk, file = pathlib.Path(name) / "disk", pathlib.Path(name) / "study.toml"
        disk.mkdir()
        file.write_text(STUDY)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
        try:
            out = disk / "out"
            # A run's files or the store, whichever meets it first.
            expect_one_error(run_study(program, file, out), "No space left on device|database or disk is full")
            after_full = statuses(out)
            done = {run for run, status in after_full.items() if status == "done"}
            if not done or len(done) == len(after_full):
                fail(f"the disk was meant to be full half way: {after_full}")
            if "failed" in after_full.values():
                fail(f"a full disk is no failure of a run: {after_full}")

            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            expect_one_error(run_study(program, file, out), "study.sqlite")
            if statuses(out) != after_full:
                fail("a read-only store changed")
            expect_one_error(run_study(program, file, disk / "other"), "Read-only file system")

            subprocess.run(["mount", "-o", "remount,rw,size=200m", disk], check=True)
            result = run_study(program, file, out)
            if result.returncode != 0:
                fail(f"with space again: exit status {result.returncode}: {result.stderr}")
            if set(statuses(out).values()) != {"done"}:
                fail(f"with space again: {statuses(out)}")
        finally:
            subprocess.run(["umount", disk], check=True)
    print(f"{len(done)} of {len(after_full)} runs were done when the disk was full; they were kept, the rest done later")


if __name__ == "__main__":
    main()
