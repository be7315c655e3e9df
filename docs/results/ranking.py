#!/usr/bin/env python3
"""How well small budgets rank what a study compares: Kendall's tau-b and Spearman's rho against the full budget.

  ranking.py ranking/results.csv [--score test_accuracy] [--draws 10000] [--program glidepath] [--figure FILE.svg]

Means over seeds at each budget against those at 100 %. Intervals are the 2.5 and 97.5 % quantiles of a bootstrap over rows
and seeds together: both are samples. The last line is what chance in the seeds leaves of the full budget's own order: one
seed against the mean of the others. With --program the same of what `glidepath plan` foretells of the full budget from the
budgets up to each of at least three. Needs NumPy and SciPy, and Matplotlib for the figure.
"""
import argparse
import collections
import csv
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from drawing import accuracy_against, pyplot_for_svg, save
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


def foretold(program, budgets, cells):
    """Median and 90 % interval at the full budget, of one row's accuracies [budget, seed]."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "curve.csv"
        lines = [f"{budget},{value}%,{seed}" for budget, values in zip(budgets, cells) for seed, value in enumerate(values)]
        file.write_text("budget,score,seed\n" + "\n".join(lines) + "\n")
        answer = subprocess.run([program, "plan", "--curve", file, "--chance", "10", "--at", "100%", "--json"],
                                check=True, capture_output=True, text=True)
    predicted = json.loads(answer.stdout)["predictions"][0]
    return predicted["score"], predicted["low"], predicted["high"]


def print_forecasts(program, budgets, accuracies, full):
    print(f"\n{'forecast of':14}{'Kendall tau':>13}{'Spearman rho':>14}  mean error  in the 90 % interval")
    for count in range(3, len(budgets)):
        answers = np.array([foretold(program, budgets[:count], accuracies[:count, row]) for row in range(len(full))])
        tau, rho = agreement(answers[:, 0], full)
        inside = np.sum((answers[:, 1] <= full) & (full <= answers[:, 2]))
        print(f"up to {budgets[count - 1]:8}{tau:13.2f}{rho:14.2f}{np.mean(np.abs(answers[:, 0] - full)):12.2f}"
              f"  {inside} of {len(full)}")


def draw(budgets, rows, accuracies, figure):
    pyplot = pyplot_for_svg()

    pyplot.figure(figsize=(6.4, 3.8))
    axes = pyplot.gca()
    shares = [float(budget.rstrip("%")) for budget in budgets]
    for number, (row, cells) in enumerate(zip(rows, accuracies.transpose(1, 0, 2))):
        name = row[0].removeprefix("script:").removesuffix(".pt") + ("" if row[-1] == "1" else f", width {row[-1]}")
        axes.errorbar(shares, cells.mean(1), cells.std(1, ddof=1), marker="o", markersize=4, capsize=2, label=name,
                      color=pyplot.cm.tab10(number))
    accuracy_against(axes, shares, "budget, of the full one's")
    axes.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    save(pyplot, figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--score", default="test_accuracy")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--program")
    parser.add_argument("--figure")
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
    if arguments.program:
        print_forecasts(arguments.program, budgets, accuracies, full.mean(1))
    if arguments.figure:
        draw(budgets, rows, accuracies, arguments.figure)


if __name__ == "__main__":
    main()
