#!/usr/bin/env python3
"""How well small budgets rank what a study compares: Kendall's tau-b and Spearman's rho against the full budget.

  ranking.py ranking/results.csv [--score test_accuracy] [--draws 10000]

Means over seeds at each budget against those at 100 %. Intervals are the 2.5 and 97.5 % quantiles of a bootstrap over rows
and seeds together: both are samples. The last line is what chance in the seeds leaves of the full budget's own order: one
seed against the mean of the others. Needs NumPy and SciPy.
"""
import argparse
import collections
import csv

import numpy as np
from scipy import stats

NO_AXES = {"id", "status", "budget", "seed"}


def read(file, score):
    """budgets, rows and an array of accuracies in percent [budget, row, seed]."""
    with open(file, newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        names = reader.fieldnames
        axes = [name for name in names[: names.index("test_accuracy")] if name not in NO_AXES]
        table = collections.defaultdict(dict)
        for row in reader:
            table[tuple(row[axis] for axis in axes)][row["budget"], row["seed"]] = 100 * float(row[score])
    budgets, seeds = (sorted({key[i] for cells in table.values() for key in cells}, key=lambda text: float(text.rstrip("%")))
                      for i in (0, 1))
    rows = sorted(table, key=lambda name: -np.mean([table[name]["100%", seed] for seed in seeds]))
    return budgets, rows, np.array([[[table[row][budget, seed] for seed in seeds] for row in rows] for budget in budgets])


def agreement(one, other):
    return stats.kendalltau(one, other).statistic, stats.spearmanr(one, other).statistic


def bootstrap(some, full, draws):
    """Quantiles [2, 2] of both measures: rows, and seeds, drawn with replacement."""
    random = np.random.default_rng(1)
    rows, seeds = some.shape
    drawn = []
    for _ in range(draws):
        row, seed = random.integers(rows, size=rows), random.integers(seeds, size=seeds)
        if len(set(row)) > 2:  # of two, ranks say nothing
            drawn.append(agreement(some[row][:, seed].mean(1), full[row][:, seed].mean(1)))
    return np.nanquantile(np.array(drawn), [0.025, 0.975], axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--score", default="test_accuracy")
    parser.add_argument("--draws", type=int, default=10_000)
    arguments = parser.parse_args()
    budgets, rows, accuracies = read(arguments.file, arguments.score)
    full = accuracies[budgets.index("100%")]
    for row, cells in zip(rows, accuracies.transpose(1, 0, 2)):
        print(f"{' '.join(row):44}", "  ".join(f"{values.mean():5.2f}" for values in cells))
    print(f"\n{'budget':8}{'Kendall tau':>24}{'Spearman rho':>24}  the best row is")
    for budget, some in zip(budgets, accuracies):
        if budget == "100%":
            continue
        tau, rho = agreement(some.mean(1), full.mean(1))
        low, high = bootstrap(some, full, arguments.draws)
        best = int(np.argmax(some.mean(1)))
        print(f"{budget:8}{tau:10.2f} [{low[0]:5.2f}, {high[0]:4.2f}]{rho:10.2f} [{low[1]:5.2f}, {high[1]:4.2f}]"
              f"  {' '.join(rows[best])}, {1 + best} of {len(rows)} at 100 %")
    alone = [agreement(full[:, seed], np.delete(full, seed, 1).mean(1)) for seed in range(full.shape[1])]
    tau, rho = np.mean(alone, 0)
    print(f"{'100%':8}{tau:10.2f}{'':14}{rho:10.2f}{'':14}  one seed against the mean of the others")


if __name__ == "__main__":
    main()
