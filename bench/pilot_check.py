#!/usr/bin/env python3
"""How close the cycles of `glidepath pilot` come to separately annealed runs, and how far its plan was off.

  pilot_check.py PROGRAM OUT RUN.toml [--spend 25%] [--seeds 3] [--points 5] [--set key=value ...] [--jobs N]

Runs the pilot of RUN.toml, and, in a study of the same options, runs of their own at each of its budgets and at the
whole budget, all with the same seeds. Writes OUT/pilot.csv: budget in percent, seed, what the cycles reached there, what
the separate run reached, and their difference, test accuracies in percent with batch norm's running statistics, as
tests on the way are. Then OUT/plans.csv: what the plans of both foretell of the whole budget from the same points, and
what it reached. Stopped, it goes on where it was. Needs Python 3.11, or the package tomli.
"""

import argparse
import csv
import json
import pathlib
import sqlite3
import statistics
import subprocess

try:
    import tomllib
except ImportError:
    import tomli as tomllib


def toml_value(value):
    return json.dumps(value)  # of texts, numbers and truth values the same


def options(config):
    return dict(tomllib.loads(config))


def runs_of(folder):
    """Options and accuracy in percent of each finished run of a study."""
    with sqlite3.connect(f"file:{folder / 'study.sqlite'}?mode=ro", uri=True) as store:
        scores = {
            run: value
            for run, value in store.execute("SELECT run_id, value FROM scores WHERE name = 'test_accuracy_running'")
        }
        rows = store.execute(
            "SELECT id, config, test_accuracy FROM runs WHERE status = 'done' AND position IS NOT NULL"
        ).fetchall()
    found = {}
    for run, config, accuracy in rows:
        config = options(config)
        found[float(config["budget"].rstrip("%")), config["seed"]] = 100 * scores.get(run, accuracy)
    return found


def plan_of(program, points, folder, name, chance):
    """What `glidepath plan` foretells of the whole budget: median, low, high."""
    file = folder / f"{name}.csv"
    with file.open("w", newline="") as to:
        writer = csv.writer(to)
        writer.writerow(["budget", "score", "seed"])
        writer.writerows([f"{budget}%", f"{score}%", seed] for (budget, seed), score in sorted(points.items()))
    answer = subprocess.run(
        [program, "plan", "--curve", file, "--chance", str(chance), "--at", "100%", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        return [answer.stderr.strip(), "", ""]
    told = json.loads(answer.stdout)["predictions"][0]
    return [f"{told[key]:.2f}" for key in ("score", "low", "high")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--spend", default="25%")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--points", type=int, default=5)
    parser.add_argument("--chance", type=float, default=10, help="percent that guessing gets right")
    parser.add_argument("--set", action="append", default=[], metavar="key=value")
    parser.add_argument("--jobs", default="0")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)

    changes = [word for text in arguments.set for word in ("--set", text)]
    subprocess.run(
        [
            program,
            "pilot",
            arguments.run,
            "--out",
            arguments.out / "pilot",
            "--spend",
            arguments.spend,
            "--seeds",
            str(arguments.seeds),
            "--points",
            str(arguments.points),
            "--jobs",
            arguments.jobs,
            *changes,
        ],
        check=True,
    )
    cycles = runs_of(arguments.out / "pilot")

    # The points' own configurations, with their budgets and the whole one as an axis.
    with sqlite3.connect(f"file:{arguments.out / 'pilot' / 'study.sqlite'}?mode=ro", uri=True) as store:
        base = options(store.execute("SELECT config FROM runs LIMIT 1").fetchone()[0])
    budgets = sorted({budget for budget, _ in cycles})
    seeds = sorted({seed for _, seed in cycles})
    base.pop("budget"), base.pop("seed")
    base["eval_every"] = "end"
    study = arguments.out / "separate.toml"
    study.write_text(
        "\n".join(
            [
                'name = "separate"',
                "[base]",
                *(f"{key} = {toml_value(value)}" for key, value in base.items()),
                "[grid]",
                f"budget = {json.dumps([f'{budget:g}%' for budget in budgets] + ['100%'])}",
                f"seed = {json.dumps(seeds)}",
                "",
            ]
        )
    )
    subprocess.run([program, "study", study, "--out", arguments.out / "separate", "--jobs", arguments.jobs], check=True)
    separate = runs_of(arguments.out / "separate")

    with (arguments.out / "pilot.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["budget", "seed", "cycles", "separate", "difference"])
        for key in sorted(cycles):
            writer.writerow(
                [
                    f"{key[0]:g}",
                    key[1],
                    f"{cycles[key]:.2f}",
                    f"{separate[key]:.2f}",
                    f"{cycles[key] - separate[key]:.2f}",
                ]
            )
    reached = [score for (budget, _), score in separate.items() if budget == 100]
    with (arguments.out / "plans.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["points", "foretold", "low", "high", "reached"])
        for name, points in (("cycles", cycles), ("separate", {key: separate[key] for key in cycles})):
            writer.writerow(
                [
                    name,
                    *plan_of(program, points, arguments.out, name, arguments.chance),
                    f"{statistics.fmean(reached):.2f}",
                ]
            )
    for budget in budgets:
        differences = [cycles[key] - separate[key] for key in cycles if key[0] == budget]
        spread = f" (standard deviation {statistics.stdev(differences):.2f})" if len(differences) > 1 else ""
        print(f"{budget:g} %: cycles are ahead of separate runs by {statistics.fmean(differences):.2f} points{spread}")
    print((arguments.out / "plans.csv").read_text(), end="")


if __name__ == "__main__":
    main()
