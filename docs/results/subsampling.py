#!/usr/bin/env python3
"""A part of the data for all epochs against all data for the same part of the budget, paired by seed; and their figure.

  subsampling.py subsampling/results.csv [--figure FILE.svg]

One line for each part: the two means, how far the budget is ahead in points with its paired 95 % interval, and the p value
after Holm's correction over the parts. Needs SciPy and statsmodels, and Matplotlib for the figure.
"""
import argparse
import collections
import csv
import statistics

from drawing import accuracy_against, pyplot_for_svg, save
from paired import half_width, p_value
from statsmodels.stats.multitest import multipletests


def read(file):
    """train_fraction -> budget -> seed -> accuracy in percent."""
    table = collections.defaultdict(lambda: collections.defaultdict(dict))
    with open(file, newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["status"] == "done":
                table[float(row["train_fraction"])][row["budget"]][row["seed"]] = 100 * float(row["test_accuracy"])
    return table


def draw(parts, whole, figure):
    pyplot = pyplot_for_svg()

    _, axes = pyplot.subplots(figsize=(5.2, 3.4))
    shares = [share for share, _, _ in parts] + [100]
    for column, label, colour in ((2, "all data, part of the budget", "#0072B2"), (1, "part of the data, all epochs", "#D55E00")):
        cells = [part[column] for part in parts] + [whole]
        axes.errorbar(shares, [statistics.mean(cell) for cell in cells], [statistics.stdev(cell) for cell in cells],
                      marker="o", capsize=3, label=label, color=colour)
    accuracy_against(axes, shares, "updates, of the full budget's")
    axes.legend(frameon=False)
    save(pyplot, figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--figure")
    arguments = parser.parse_args()
    table = read(arguments.file)
    everything = max(table)
    parts = []  # (share in percent, part of the data, part of the budget), by seed
    for fraction in sorted(table)[:-1]:
        share = round(100 * fraction / everything, 6)
        seeds = sorted(table[fraction]["100%"])
        parts.append((share, [table[fraction]["100%"][seed] for seed in seeds],
                      [table[everything][f"{share:g}%"][seed] for seed in seeds]))
    ahead = [[budget - data for data, budget in zip(one, other)] for _, one, other in parts]
    corrected = multipletests([p_value(values) for values in ahead], method="holm")[1]
    for (share, data, budget), values, p in zip(parts, ahead, corrected):
        print(f"{share:4g} %: data {statistics.mean(data):5.2f} ± {statistics.stdev(data):4.2f}  "
              f"budget {statistics.mean(budget):5.2f} ± {statistics.stdev(budget):4.2f}  "
              f"ahead {statistics.mean(values):+5.2f} ± {half_width(values):4.2f} (Holm p {p:.3f})")
    if arguments.figure:
        draw(parts, list(table[everything]["100%"].values()), arguments.figure)


if __name__ == "__main__":
    main()
