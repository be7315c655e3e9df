#!/usr/bin/env python3
"""Tables and the figure of studies/cause.toml: one constant-rate run of each seed, and five ways on from its middle.

  cause.py --read out/cause [--program glidepath] cause/       the study's runs -> cause/series.csv and cause/final.csv
  cause.py cause/ [--figure cause/cause.svg]                   tables from these files

series.csv has what the runs measured every epoch; final.csv the gradient of the weights at the end, taken with batch norm's
statistics of each batch and with fresh ones, without weight decay's term and with it (`glidepath measure`), and accuracies.
Intervals are 95 %, paired by seed, with Holm's correction over the four comparisons with const. Needs SciPy and statsmodels,
and Matplotlib for the figure.
"""
import argparse
import collections
import concurrent.futures
import csv
import json
import math
import os
import statistics
import subprocess

from drawing import pyplot_for_svg, save

BRANCHES = ["const", "to 20 %", "to 5 %", "to 1 %", "to 0"]
STAGES = ["conv1", "layer1", "layer2", "layer3", "fc"]
# bn1 of the stem belongs to conv1.
STAGE_OF = {"bn1": "conv1"}


def branch_of(schedule):
    if schedule == "const":
        return "const"
    return f"to {schedule.partition('floor=')[2].rstrip('%)') or 0} %".replace("to 0 %", "to 0")


def stage_norms(norms):
    squares = collections.Counter()
    for name, norm in norms.items():
        stage = name.split(".")[0]
        squares[STAGE_OF.get(stage, stage)] += norm**2
    return {f"grad_norm_{stage}": math.sqrt(squares[stage]) for stage in STAGES}


def measured(program, weights):
    """The gradient's norm of a file of weights as the runs did not take it."""
    norms = {}
    for name, options in (("fresh", "bn=fresh"), ("decay", "decay=yes")):
        told = subprocess.run([program, "measure", weights, "--what", f"grad-norm(augment=yes,{options})", "--json"],
                              check=True, capture_output=True, text=True).stdout
        norms[name] = json.loads(told.strip().splitlines()[-1])["grad_norm"]
    return norms


def last_weights(folder):
    return os.path.join(folder, "checkpoint", sorted(os.listdir(os.path.join(folder, "checkpoint")))[-1])


def write(file, rows):
    with open(file, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_study(study, program, out):
    series, final = [], []
    with open(os.path.join(study, "results.csv"), newline="", encoding="utf-8") as stream:
        runs = [row for row in csv.DictReader(stream) if row["status"] == "done"]
    folders = [os.path.join(study, "runs", run["id"]) for run in runs]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        norms_of = list(pool.map(lambda folder: measured(program, last_weights(folder)), folders))
    for run, folder, norms in zip(runs, folders, norms_of):
        key = {"branch": branch_of(run["schedule"]), "seed": run["seed"]}
        with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as stream:
            for line in stream:
                entry = json.loads(line)
                if entry["kind"] != "measure":
                    continue
                row = dict(key, epoch=entry["epoch"], lr=entry["lr"])
                for name in ("train_loss_full", "grad_norm", "grad_norm_estimate", "grad_norm_estimate_low",
                             "grad_norm_estimate_high", "weight_norm"):
                    row[name] = entry.get(name, "")
                row.update(stage_norms(entry["grad_norms"]))
                series.append({name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()})
        norms["batch"] = float(series[-1]["grad_norm"])
        final.append(dict(key, test_accuracy=run["test_accuracy"], test_accuracy_running=run["test_accuracy_running"],
                          train_accuracy=run["train_accuracy"], train_loss=run["train_loss"],
                          **{f"grad_norm_{name}": f"{norm:.5g}" for name, norm in norms.items()}))
    os.makedirs(out, exist_ok=True)
    write(os.path.join(out, "series.csv"), series)
    write(os.path.join(out, "final.csv"), final)


def by_branch(rows, column, scale=1.0):
    table = collections.defaultdict(dict)
    for row in rows:
        if row[column]:
            table[row["branch"]][row["seed"]] = scale * float(row[column])
    return table


def against_const(table):
    """branch -> (mean, half of the 95 % interval, p after Holm) of its paired differences from const."""
    from paired import half_width, p_value
    from statsmodels.stats.multitest import multipletests

    values = {branch: [table[branch][seed] - table["const"][seed] for seed in sorted(table[branch])] for branch in BRANCHES[1:]}
    corrected = multipletests([p_value(each) for each in values.values()], method="holm")[1]
    return {branch: (statistics.mean(each), half_width(each), p) for (branch, each), p in zip(values.items(), corrected)}


def spread(cells):
    values = list(cells.values())
    return f"{statistics.mean(values):.3g} ± {statistics.stdev(values):.1g}"


def print_tables(series, final):
    last = max(float(row["epoch"]) for row in series)
    ends = [row for row in series if float(row["epoch"]) == last]
    columns = [("rate", by_branch(ends, "lr")), ("batch", by_branch(final, "grad_norm_batch")),
               ("fresh", by_branch(final, "grad_norm_fresh")), ("with decay", by_branch(final, "grad_norm_decay")),
               ("online", by_branch(ends, "grad_norm_estimate"))]
    columns += [(stage, by_branch(ends, f"grad_norm_{stage}")) for stage in STAGES]
    print("| branch | " + " | ".join(name for name, _ in columns) + " |")
    for branch in BRANCHES:
        print(f"| {branch} | " + " | ".join(spread(table[branch]) for _, table in columns) + " |")
    print("\n| branch | test accuracy | ahead of const | running statistics | ahead of const | train loss |")
    fresh, running = (by_branch(final, name, 100) for name in ("test_accuracy", "test_accuracy_running"))
    losses = by_branch(final, "train_loss")
    ahead_fresh, ahead_running = against_const(fresh), against_const(running)
    for branch in BRANCHES:
        cells = []
        for table, ahead in ((fresh, ahead_fresh), (running, ahead_running)):
            values = list(table[branch].values())
            cells.append(f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}")
            cells.append("{:+.2f} ± {:.2f} (Holm p {:.3f})".format(*ahead[branch]) if branch in ahead else "")
        print(f"| {branch} | " + " | ".join(cells) + f" | {spread(losses[branch])} |")


def draw(series, final, figure):
    pyplot = pyplot_for_svg()

    _, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), width_ratios=[3, 2])
    colours = dict(zip(BRANCHES, ("#000000", "#D55E00", "#E69F00", "#56B4E9", "#0072B2")))
    for branch in BRANCHES:
        for column, style in (("grad_norm", "-"), ("grad_norm_estimate", ":")):
            cells = collections.defaultdict(list)
            for row in series:
                if row["branch"] == branch and row[column]:
                    cells[float(row["epoch"])].append(float(row[column]))
            epochs = sorted(cells)
            left.plot(epochs, [statistics.mean(cells[epoch]) for epoch in epochs], style, color=colours[branch],
                      label=branch if style == "-" else None)
    left.plot([], [], ":", color="grey", label="online estimate")
    left.axvline(5, color="grey", linewidth=0.8)
    left.set(xlabel="epoch", ylabel="norm of the full gradient", ylim=(0, None))
    left.legend(frameon=False, fontsize=8, ncol=2)
    norms = by_branch(final, "grad_norm_batch")
    for name, marker, label in (("test_accuracy", "o", "fresh statistics"), ("test_accuracy_running", "x", "running statistics")):
        accuracies = by_branch(final, name, 100)
        for branch in BRANCHES:
            seeds = sorted(norms[branch])
            right.plot([norms[branch][seed] for seed in seeds], [accuracies[branch][seed] for seed in seeds], marker,
                       color=colours[branch])
        right.plot([], [], marker, color="grey", label=label)
    right.set(xlabel="norm of the full gradient at the end", ylabel="test accuracy (%)")
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    save(pyplot, figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="of series.csv and final.csv")
    parser.add_argument("--read", metavar="STUDY", help="write them from this study first")
    parser.add_argument("--program", default="glidepath")
    parser.add_argument("--figure")
    arguments = parser.parse_args()
    if arguments.read:
        read_study(arguments.read, arguments.program, arguments.folder)
        return
    tables = []
    for name in ("series.csv", "final.csv"):
        with open(os.path.join(arguments.folder, name), newline="", encoding="utf-8") as stream:
            tables.append(list(csv.DictReader(stream)))
    print_tables(*tables)
    if arguments.figure:
        draw(*tables, arguments.figure)


if __name__ == "__main__":
    main()
