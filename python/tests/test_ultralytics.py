"""add_budget in the real ultralytics, on a small classifier of pictures that the test makes."""

from __future__ import annotations

import pathlib
import time

import numpy
import pytest

torch = pytest.importorskip("torch")
ultralytics = pytest.importorskip("ultralytics", exc_type=ImportError)  # OpenCV wants libGL.so.1
Image = pytest.importorskip("PIL.Image")

import glidepath  # noqa: E402
import glidepath.ultralytics  # noqa: E402


@pytest.fixture
def pictures(tmp_path: pathlib.Path) -> pathlib.Path:
    random = numpy.random.default_rng(0)
    for split in ("train", "val"):
        for label, shade in (("dark", 60), ("light", 190)):
            folder = tmp_path / "pictures" / split / label
            folder.mkdir(parents=True)
            for i in range(16):
                pixels = random.integers(shade - 50, shade + 50, (32, 32, 3), dtype=numpy.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "pictures"


def train(pictures: pathlib.Path, budget: str, **options):
    model = glidepath.ultralytics.add_budget(ultralytics.YOLO("yolo11n-cls.yaml"), budget)
    rates: list[float] = []
    model.add_callback("on_train_batch_end", lambda trainer: rates.append(trainer.optimizer.param_groups[0]["lr"]))
    model.train(
        data=str(pictures), imgsz=32, batch=8, nbs=8, device="cpu", workers=0, amp=False, plots=False, verbose=False,
        optimizer="SGD", lr0=0.01, project=str(pictures.parent / "out"), **options,
    )  # fmt: skip
    return model, rates


@pytest.mark.parametrize(("budget", "updates"), [("10it", 10), ("1.5ep", 6)])
def test_budgets_in_updates(pictures: pathlib.Path, budget: str, updates: int) -> None:
    _, rates = train(pictures, budget)
    assert rates == pytest.approx([0.01 * (1 - step / updates) for step in range(updates)])


# ultralytics #6919: time= ended inside a warm-up that was made for the original number of epochs.
def test_a_budget_in_time_ends_in_time(pictures: pathlib.Path) -> None:
    begun = time.monotonic()
    model, rates = train(pictures, "5s")
    assert time.monotonic() - begun < 30
    assert rates[0] == pytest.approx(0.01) and rates[-1] < 0.01 * 0.02
    assert rates == sorted(rates, reverse=True)
    assert (pathlib.Path(model.trainer.wdir) / "glide.json").is_file() and pathlib.Path(model.trainer.best).is_file()


def test_what_it_cannot_work_with_is_told() -> None:
    with pytest.raises(glidepath.InputError, match='budget "soon"'):
        glidepath.ultralytics.add_budget(None, "soon")
