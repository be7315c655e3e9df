#!/usr/bin/env python3
"""Differences between schedules of a results.csv, paired by seed, as the sentences of README.md state them.

  paired.py cifar10-small/results.csv [--against linear] [--score test_accuracy]
  paired.py ants-bees/results.csv --of init --against ""

One line for each budget and schedule, or value of another axis: how far it is ahead of the one it is set against, in
points (of accuracies and IoU) or as the score is (of losses and perplexities, where more is worse); the 95 % interval,
paired by seed and whatever else the runs differ in; and the p value after Holm's correction over all pairs of the
budget. Needs SciPy and statsmodels.
"""
import argparse
import collections
import csv
import itertools
import math
import re
import statistics

from scipy import stats
from statsmodels.stats.multitest import multipletests


def read(file, score, axis):
    """budget -> value of the axis -> the other axes' values -> score, of shares in percent."""
    scale = 100 if "accuracy" in score or score.endswith("iou") else 1
    table = collections.defaultdict(lambda: collections.defaultdict(dict))
    with open(file, newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        axes = reader.fieldnames[reader.fieldnames.index("status") + 1 : reader.fieldnames.index("test_accuracy")]
        others = [name for name in axes if name not in ("budget", axis)]
        for row in reader:
            if row["status"] == "done" and row.get("optimizer", "sgd") == "sgd":
                table[row["budget"]][row[axis]][tuple(row[name] for name in others)] = scale * float(row[score])
    return table


def differences(one, other):
    return [one[pair] - other[pair] for pair in sorted(one.keys() & other.keys())]


def p_value(values):
    if statistics.stdev(values) == 0:
        return 0.0 if values[0] != 0 else 1.0
    return float(stats.ttest_1samp(values, 0).pvalue)


def half_width(values):
    return float(stats.t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--of", default="schedule", metavar="AXIS")
    parser.add_argument("--against", default="linear")
    parser.add_argument("--score", default="test_accuracy")
    arguments = parser.parse_args()
    table = read(arguments.file, arguments.score, arguments.of)
    for budget in sorted(table, key=lambda text: float(re.match(r"[\d.]+", text)[0])):
        rows = table[budget]
        pairs = [pair for pair in itertools.combinations(sorted(rows), 2) if len(differences(*map(rows.get, pair))) > 1]
        corrected = {}
        if pairs:
            raw = [p_value(differences(*map(rows.get, pair))) for pair in pairs]
            corrected = dict(zip(map(frozenset, pairs), multipletests(raw, method="holm")[1]))
        for value in sorted(rows, key=lambda name: -statistics.mean(rows[name].values())):
            ahead = differences(rows[value], rows.get(arguments.against, {}))
            if value == arguments.against or not ahead:
                continue
            line = f"{budget:>5} {value:16} {statistics.mean(ahead):+6.2f}"
            if len(ahead) > 1:
                p_holm = corrected[frozenset((value, arguments.against))]
                line += f" ± {half_width(ahead):5.2f} (n {len(ahead)}, Holm p {p_holm:.3f})"
            print(line)


if __name__ == "__main__":
    main()
