"""Schedules, budgets and statistics from Python, against closed forms and other libraries."""

from __future__ import annotations

import doctest
import importlib
import math
import pathlib
import subprocess
import sys

import numpy
import pytest

import glidepath
from glidepath import _core


def test_factors_are_the_formulas() -> None:
    for p in numpy.linspace(0, 1, 101):
        assert glidepath.schedule("linear")(p) == pytest.approx(1 - p)
        assert glidepath.schedule("cosine")(p) == pytest.approx((1 + math.cos(math.pi * p)) / 2)
        assert glidepath.schedule("poly(power=0.9)")(p) == pytest.approx((1 - p) ** 0.9)
        assert glidepath.schedule("rex")(p) == pytest.approx((1 - p) / (0.5 + 0.5 * (1 - p)))


def test_an_array_of_progress_gives_an_array_of_factors() -> None:
    schedule = glidepath.schedule("linear(warmup=10%)")
    progress = numpy.linspace(0, 1, 7)
    factors = schedule(progress)
    assert factors.shape == (7,) and factors.dtype == numpy.float64
    assert factors.tolist() == [schedule(p) for p in progress.tolist()]
    with pytest.raises(glidepath.InputError):
        schedule(1.5)


def test_learning_rates_are_those_of_each_update() -> None:
    rates = glidepath.learning_rates("cosine", updates=1000, base_lr=0.1)
    assert isinstance(rates, numpy.ndarray) and rates.shape == (1000,)
    schedule = glidepath.schedule("cosine")
    assert rates.tolist() == [0.1 * schedule(step / 1000) for step in range(1000)]
    with pytest.raises(ValueError, match="updates 0"):
        glidepath.learning_rates("linear", updates=0)
    with pytest.raises(ValueError, match="lineal"):
        glidepath.learning_rates("lineal", updates=5)


def test_schedules_that_count_need_what_they_count_in() -> None:
    rates = glidepath.learning_rates("linear(warmup=2ep)", updates=100, steps_per_epoch=10)
    assert int(rates.argmax()) == 20
    with pytest.raises(glidepath.InputError):
        glidepath.schedule("linear(warmup=2ep)")


def test_every_schedule_reads_its_own_example() -> None:
    assert len(glidepath.schedules()) > 10
    for entry in glidepath.schedules():
        text = entry["example"]
        assert glidepath.canonical_schedule(text)
        if not text.startswith(("plateau", "file")):
            schedule = glidepath.schedule(text, updates=1000, steps_per_epoch=10, full_updates=1000)
            assert glidepath.schedule(schedule.text, updates=1000, steps_per_epoch=10, full_updates=1000)(
                0.3
            ) == schedule(0.3)


def test_budgets() -> None:
    assert glidepath.parse_budget("1h30m") == ("seconds", 5400)
    assert glidepath.parse_budget("0.5ep") == ("epochs", 0.5)
    assert glidepath.updates_in("10%", steps_per_epoch=391) == 7820
    for wrong in ("soon", "5x", "-3it", ""):
        with pytest.raises(glidepath.InputError):
            glidepath.parse_budget(wrong)
    with pytest.raises(glidepath.InputError, match="epoch"):
        glidepath.updates_in("3ep")


def test_statistics_are_scipys() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    a, b = [91.2, 90.8, 91.5, 90.1], [90.9, 90.2, 91.3, 90.4]
    ours = glidepath.paired_difference(a, b)
    theirs = scipy_stats.ttest_rel(a, b)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    low, high = theirs.confidence_interval(0.95)
    assert ours.mean - ours.half_width(0.05) == pytest.approx(low) and ours.mean + ours.half_width() == pytest.approx(
        high
    )
    with pytest.raises(glidepath.InputError):
        glidepath.paired_difference([1.0], [1.0, 2.0])


def test_schedules_are_drawn() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = glidepath.plot_schedules(["linear", "rex", "cosine"], updates=100, base_lr=0.1)
    assert [line.get_label() for line in ax.get_lines()] == ["linear", "rex", "cosine"]
    assert ax.get_lines()[0].get_ydata()[50] == pytest.approx(0.05)


def test_examples_of_docstrings_are_true() -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    for name in ("glidepath", "glidepath._glide"):
        assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0
    parser, runner, examples = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=flags), 0
    for name in dir(_core):
        text = getattr(getattr(_core, name), "__doc__", None) or ""
        if ">>>" in text:
            found = parser.get_doctest(text, {}, name, None, None)
            examples += len(found.examples)
            runner.run(found)
    assert runner.failures == 0 and examples >= 10


def test_the_version_is_the_programs() -> None:
    root = pathlib.Path(__file__).parents[2]
    assert f"project(glidepath VERSION {glidepath.__version__} " in (root / "CMakeLists.txt").read_text()
    assert f'version = "{glidepath.__version__}"' in (root / "pyproject.toml").read_text()


def test_import_needs_neither_torch_nor_numpy() -> None:
    code = "import sys, glidepath; print([name for name in ('torch', 'numpy', 'matplotlib') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
