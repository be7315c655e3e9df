#!/usr/bin/env python3
"""Makes verdicts.json: columns of invented results, and what scipy and statsmodels show of them.

Each column is compared pair by pair: scipy.stats.ttest_rel, its confidence interval at the level of Bonferroni over
all pairs, statsmodels' multipletests(method="holm"). Run it in this folder: python3 make_verdicts.py
"""

import itertools
import json
import random
import statistics

from scipy import stats
from statsmodels.stats.multitest import multipletests

random.seed(2026)
columns = []
for spread, lead in itertools.product((0.05, 0.4, 3.0), (0, 0.3, 1.5, 8)):
    for rows, seeds in ((2, 3), (3, 5), (6, 3), (5, 10)):
        luck = [random.gauss(0, 2) for _ in range(seeds)]  # of a seed, shared by all rows
        columns.append([[round(60 + luck[s] + random.gauss(0, spread) + (lead if row == 1 else 0), 2) for s in range(seeds)]
                        for row in range(rows)])

told = []
for cells in columns:
    order = sorted(range(len(cells)), key=lambda row: -round(statistics.fmean(cells[row]), 9))
    pairs = list(itertools.combinations(order, 2))
    tests = [stats.ttest_rel(cells[a], cells[b]) for a, b in pairs]
    p_values = multipletests([test.pvalue for test in tests], method="holm")[1]
    rivals = []
    for (a, b), test, p_value in zip(pairs, tests, p_values):
        if a != order[0]:
            continue
        interval = test.confidence_interval(1 - 0.05 / len(pairs))
        difference = (sum(cells[a]) - sum(cells[b])) / len(cells[a])
        standing = "behind" if p_value < 0.05 and difference > 0 else (
            "level" if -1 <= interval.low and interval.high <= 1 else "unsure")
        rivals.append({"row": b, "p_value": p_value, "difference": difference, "standing": standing,
                       "half_width": (interval.high - interval.low) / 2})
    standings = {rival["standing"] for rival in rivals}
    told.append({"cells": cells, "best": order[0], "rivals": rivals,
                 "verdict": "noisy" if "unsure" in standings else "level" if "level" in standings else "clear"})
with open("verdicts.json", "w") as file:
    json.dump(told, file, indent=0)
    file.write("\n")
