#!/usr/bin/env python3
"""Does a schedule's lead survive when each has its own best rate? From a results.csv of studies/rates.toml.

  rates.py rates/results.csv

For each budget, optimizer and schedule: the mean accuracy on held out images at each rate, the best of them (of those at
which no seed diverged; "at the edge" where a rate beyond might be better still), and at that one the mean and deviation of
test accuracy, how far ahead of the same optimizer's linear at its own best rate, in points, with the 95 % interval paired
by seed, and the p value after Holm's correction over the schedules of that budget and optimizer; last, the same lead at
one rate for all, SGD's default of 0.1. Needs SciPy and statsmodels.
"""
import argparse
import collections
import csv
import statistics

from paired import differences, half_width, p_value
from statsmodels.stats.multitest import multipletests

COMMON_RATE, AGAINST = 0.1, "linear"


def read(file):
    """(budget, optimizer) -> schedule -> rate -> seed -> (held out, test) in percent; None of a run that diverged."""
    table = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(dict)))
    with open(file, newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["status"] not in ("done", "diverged"):
                continue
            scores = None
            if row["status"] == "done":
                scores = 100 * float(row["val_accuracy"]), 100 * float(row["test_accuracy"])
            table[row["budget"], row["optimizer"]][row["schedule"]][float(row["base_lr"])][row["seed"]] = scores
    return table


def held_out(seeds):
    return statistics.mean(score[0] for score in seeds.values()) if None not in seeds.values() else None


def test_of(seeds):
    return {seed: score[1] for seed, score in seeds.items() if score is not None}


def leads(tests):
    """schedule -> (difference from linear, half its interval, Holm's p)."""
    others = [name for name in tests if name != AGAINST]
    values = [differences(tests[name], tests[AGAINST]) for name in others]
    corrected = multipletests([p_value(each) for each in values], method="holm")[1]
    return {name: (statistics.mean(each), half_width(each), p) for name, each, p in zip(others, values, corrected)}


def told(lead):
    return f"{lead[0]:+.2f} ± {lead[1]:.2f} (Holm p {lead[2]:.3f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    table = read(parser.parse_args().file)
    for budget, optimizer in sorted(table, key=lambda key: (key[1], float(key[0].rstrip("%")))):
        schedules = table[budget, optimizer]
        best, tests = {}, {}
        for name, rates in schedules.items():
            means = {rate: held_out(seeds) for rate, seeds in rates.items()}
            best[name] = max((rate for rate in means if means[rate] is not None), key=lambda rate: means[rate])
            tests[name] = test_of(rates[best[name]])
        ahead = leads(tests)
        common = leads({name: test_of(rates[COMMON_RATE]) for name, rates in schedules.items()}) if optimizer == "sgd" else {}
        for name in sorted(schedules, key=lambda each: -statistics.mean(tests[each].values())):
            rates = schedules[name]
            edge = ", at the edge" if best[name] in (min(rates), max(rates)) else ""
            series = "  ".join(f"{rate:g}: {held_out(rates[rate]):.2f}" if held_out(rates[rate]) is not None else f"{rate:g}: diverged"
                               for rate in sorted(rates))
            scores = tests[name].values()
            print(f"{budget:>4} {optimizer:8} {name:8} {statistics.mean(scores):.2f} ± {statistics.stdev(scores):.2f} at {best[name]:g}{edge}"
                  + (f", {told(ahead[name])}" if name in ahead else "")
                  + (f"; all at {COMMON_RATE:g}: {told(common[name])}" if name in common else ""))
            print(f"{'':23}{series}")


if __name__ == "__main__":
    main()
