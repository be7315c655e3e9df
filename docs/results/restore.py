#!/usr/bin/env python3
"""Makes a published results.csv a study again, so that its tables and figures can be drawn anew. Nothing is trained.

  restore.py STUDY.toml RESULTS.csv OUT [--profile NAME] [--set key=value] [--program build/release/src/cli/glidepath]

Writes the finished runs as a study keeps them (OUT/runs/ID/config.toml and summary.json), which `glidepath study` then
finds; it checks that each id is that of its configuration. Then: glidepath report OUT. Curves and measures are not in a
results.csv, so only figures 1 and 2 can be drawn. Needs Python 3.11, or the package tomli.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys

try:
    import tomllib
except ImportError:
    import tomli as tomllib

NUMBERS = ("test_accuracy", "test_loss", "train_loss", "train_accuracy", "epochs", "seconds", "images_per_second",
           "peak_memory_mib")
OTHERS = {"id", "status", "updates", "attempts", "error", *NUMBERS}


def toml_value(text):
    """A text, unless it is TOML by itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("study", "results", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--profile")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--program", default="build/release/src/cli/glidepath")
    arguments = parser.parse_args()
    study = tomllib.loads(arguments.study.read_text(encoding="utf-8"))
    shared = {"threads": 1, **study["base"]}
    profile = arguments.profile or study.get("default_profile")
    if profile:
        shared.update({key: value for key, value in study["profile"][profile].items() if not isinstance(value, list)})
    for change in arguments.set:
        key, _, text = change.partition("=")
        shared[key] = toml_value(text)
    with open(arguments.results, newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["status"] == "done"]
    for row in rows:
        config = {**shared, **{key: toml_value(text) for key, text in row.items() if key not in OTHERS}}
        run = arguments.out / "runs" / row["id"]
        run.mkdir(parents=True)
        (run / "config.toml").write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in config.items()),
                                         encoding="utf-8")
        summary = {"status": "done", "updates": int(row["updates"]), **{name: float(row[name]) for name in NUMBERS}}
        (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    command = [arguments.program, "study", arguments.study, "--out", arguments.out, "--quiet"]
    command += ["--profile", arguments.profile] if arguments.profile else []
    for change in arguments.set:
        command += ["--set", change]
    ids = subprocess.run([*command, "--dry-run"], check=True, capture_output=True, text=True).stdout.split()
    strange = [row["id"] for row in rows if row["id"] not in ids]
    if strange:
        sys.exit(f"{arguments.results}: {len(strange)} runs are not of {arguments.study}, the first is {strange[0]}")
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
