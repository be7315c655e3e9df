#!/usr/bin/env python3
"""Methods against linear: the best rate of each, and how far each is ahead at every budget.

  methods.py --rates methods-rates/results.csv
  methods.py methods/results.csv

A method is what its optimizer, schedule and average of weights are; one with an average is scored by the average's
accuracy. Rates are chosen by the mean accuracy of held out images. Of methods, one line for each budget: means and
deviations of test accuracy, how far ahead of linear in points with the 95 % interval paired by seed, and the p value after
Holm's correction over the methods of that budget. Needs SciPy and statsmodels.
"""
import argparse
import collections
import csv
import statistics

from paired import differences, half_width, p_value
from statsmodels.stats.multitest import multipletests


def method_of(row):
    optimizer, average = row.get("optimizer", "sgd"), row.get("average", "none")
    parts = [optimizer, row["schedule"]] + ([average] if average != "none" else [])
    return " ".join(parts)


def score_of(row, split):
    averaged = row.get(f"average_{split}_accuracy") or ""
    return 100 * float(averaged or row[f"{split}_accuracy"])


def rows_of(file):
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def print_rates(rows):
    scores, diverged = collections.defaultdict(list), collections.Counter()
    for row in rows:
        key = method_of(row), float(row["base_lr"])
        if row["status"] == "done":
            scores[key].append(score_of(row, "val"))
        else:
            diverged[key] += 1
    for method in sorted({method for method, _ in scores}):
        rates = sorted(rate for name, rate in scores if name == method)
        best = max((rate for rate in rates if not diverged[method, rate]), key=lambda rate: statistics.mean(scores[method, rate]))
        told = "  ".join(f"{rate:g}: {statistics.mean(scores[method, rate]):.2f}" for rate in rates)
        print(f"{method:40} best {best:g}   {told}")


def print_methods(rows, against):
    table = collections.defaultdict(lambda: collections.defaultdict(dict))
    for row in rows:
        if row["status"] == "done":
            table[row["budget"]][method_of(row)][row["seed"]] = score_of(row, "test")
    for budget in sorted(table, key=lambda text: float(text.rstrip("%"))):
        methods = table[budget]
        print(f"{budget:>5} {against:40} {statistics.mean(methods[against].values()):.2f} ± {statistics.stdev(methods[against].values()):.2f}")
        others = sorted((name for name in methods if name != against), key=lambda name: -statistics.mean(methods[name].values()))
        ahead = {name: differences(methods[name], methods[against]) for name in others}
        corrected = multipletests([p_value(ahead[name]) for name in others], method="holm")[1]
        for name, p_holm in zip(others, corrected):
            values = methods[name].values()
            print(f"      {name:40} {statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}  "
                  f"{statistics.mean(ahead[name]):+6.2f} ± {half_width(ahead[name]):5.2f} (Holm p {p_holm:.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--rates")
    parser.add_argument("--against", default="sgd linear")
    arguments = parser.parse_args()
    if arguments.rates:
        print_rates(rows_of(arguments.rates))
    if arguments.file:
        print_methods(rows_of(arguments.file), arguments.against)


if __name__ == "__main__":
    main()
