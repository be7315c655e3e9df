"""What the tests of the real program share: starting it, and comparing what two runs left."""

import json
import os
import pathlib
import subprocess
import sys

CLOCK_FIELDS = ("seconds", "images_per_second", "peak_memory_mib")
SKIPPED = 77  # what ctest takes for "skipped"


def arguments(**options):
    """Options of a quick run on the carried digits, as flags."""
    defaults = dict(data="digits", model="mlp", full="10ep", batch_size=128, base_lr=0.05, precision="fp32",
                    threads=1)
    return [f"--{key.replace('_', '-')}={value}" for key, value in {**defaults, **options}.items()]


def start(program, *rest, **popen):
    environment = dict(os.environ, OMP_NUM_THREADS="1", **popen.pop("env", {}))
    return subprocess.Popen([program, "train", *map(str, rest), "--no-progress"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment, **popen)


def run(program, *rest, **popen):
    """Exit status and standard error of a run that is let alone."""
    process = start(program, *rest, **popen)
    _, errors = process.communicate(timeout=600)
    return process.returncode, errors


def metrics(folder):
    lines = (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        del record["seconds"]
    return records


def outcome(folder):
    """Everything a run leaves that must not depend on what happened to it."""
    folder = pathlib.Path(folder)
    summary = json.loads((folder / "summary.json").read_text())
    for field in CLOCK_FIELDS:
        del summary[field]
    del summary["spent"]["seconds"]
    return {"metrics": metrics(folder), "summary": summary,
            "model": (folder / "model.safetensors").read_bytes()}


def require_same(folder, reference, what):
    mine = outcome(folder)
    for part, value in reference.items():
        if mine[part] != value:
            sys.exit(f"{what}: {part} of {folder} is not that of the uninterrupted run")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)
