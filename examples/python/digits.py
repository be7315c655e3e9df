"""The 1,797 handwritten digits of the repository, for the examples: x [n, 64] in [0, 1], y [n] in 0..9."""

import gzip
import pathlib

import numpy

FILE = pathlib.Path(__file__).parents[2] / "data" / "digits" / "digits.csv.gz"


def load():
    """Training and test images and labels: (x, y), (x, y)."""
    with gzip.open(FILE, "rt") as file:
        rows = numpy.loadtxt(file, delimiter=",", dtype=numpy.float32)
    x, y = rows[:, :-1] / 16, rows[:, -1].astype(numpy.int64)
    return (x[:1438], y[:1438]), (x[1438:], y[1438:])
