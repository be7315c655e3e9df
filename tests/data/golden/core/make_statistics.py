"""Values of Student's t by mpmath with 40 digits, and of quantiles, paired tests, Holm's method and the power of a paired test by SciPy and statsmodels.

    python3 make_statistics.py > statistics.csv

One line a value: its kind, what went in, what came out; lists with ; between their numbers.
"""

import mpmath
import numpy
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

random = numpy.random.default_rng(0)

mpmath.mp.dps = 40


def two_tails(t, degrees):
    x = mpmath.mpf(degrees) / (mpmath.mpf(degrees) + mpmath.mpf(t) ** 2)
    return float(mpmath.betainc(mpmath.mpf(degrees) / 2, mpmath.mpf(1) / 2, 0, x, regularized=True))


two_sided = [{"t": t, "degrees": degrees, "p": two_tails(t, degrees)}
             for degrees in (0.5, 1, 2, 2.7, 4, 9, 29.5, 1000) for t in (0, 1e-9, 0.1, 1, 2.5, 12.706, 50, 1e5)]
quantiles = [{"p": p, "degrees": degrees, "t": stats.t.ppf(p, degrees)}
             for degrees in (1, 2, 2.7, 9, 1000) for p in (1e-9, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9995)]

paired = []
for count in (2, 3, 5, 10, 30):
    for spread in (0.01, 1, 20):
        a = random.normal(70, 5, count).round(6)
        b = (a - 0.5 + random.normal(0, spread, count)).round(6)
        test = stats.ttest_rel(a, b)
        interval = test.confidence_interval(0.95)
        paired.append({"a": a.tolist(), "b": b.tolist(), "mean": float(numpy.mean(a - b)), "p": float(test.pvalue),
                       "half_width": float(interval.high - interval.low) / 2})

holm = []
for count in (1, 2, 5, 9):
    p_values = numpy.sort(random.uniform(0, 0.1, count))
    random.shuffle(p_values)
    holm.append({"p": p_values.tolist(), "adjusted": multipletests(p_values, method="holm")[1].tolist()})

# The exact power by the noncentral t; ours is the usual approximation, which may ask for one pair more or less.
needed = []
for difference in (0.25, 0.5, 1, 2):
    for alpha in (0.05, 0.0125):
        pairs = TTestPower().solve_power(effect_size=difference, alpha=alpha, power=0.8)
        needed.append({"difference": difference, "alpha": alpha, "pairs": float(pairs)})



def line(kind, *fields):
    print(",".join([kind, *(";".join(map(repr, field)) if isinstance(field, list) else repr(float(field))
                            for field in fields)]))


print(f"scipy {scipy.__version__} statsmodels {statsmodels.__version__}")
for row in two_sided:
    line("two_sided", *row.values())
for row in quantiles:
    line("quantile", *row.values())
for row in paired:
    line("paired", *row.values())
for row in holm:
    line("holm", *row.values())
for row in needed:
    line("needed", *row.values())
