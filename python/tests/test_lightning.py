"""GlideCallback in the real Lightning Trainer, with what its users complained of."""

from __future__ import annotations

import pathlib
import time
import warnings

import pytest

torch = pytest.importorskip("torch")
try:
    import lightning.pytorch as pl
except ImportError:
    pl = pytest.importorskip("pytorch_lightning")

import glidepath  # noqa: E402
from glidepath.lightning import GlideCallback  # noqa: E402

warnings.filterwarnings("ignore", module="lightning")


class Module(pl.LightningModule):
    def __init__(self, delay: float = 0.0) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.delay = delay
        self.rates: list[float] = []
        self.validations = 0

    def training_step(self, batch, index):
        time.sleep(self.delay)
        return ((self.layer(batch) - batch) ** 2).mean()

    def validation_step(self, batch, index):
        self.validations += 1

    def on_before_optimizer_step(self, optimizer):
        self.rates.append(optimizer.param_groups[0]["lr"])

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1)}


def fit(folder: pathlib.Path, callback: GlideCallback, delay: float = 0.0, resume: str | None = None, **options):
    module = Module(delay)
    loader = torch.utils.data.DataLoader(torch.rand(64, 1), batch_size=8)
    arguments = {
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "default_root_dir": str(folder),
        **options,
    }
    trainer = pl.Trainer(callbacks=[callback], **arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(module, loader, loader, ckpt_path=resume)
    return trainer, module


@pytest.mark.parametrize(("budget", "updates"), [("20it", 20), ("1.5ep", 12), ("3it", 3)])
def test_budgets_in_updates(tmp_path: pathlib.Path, budget: str, updates: int) -> None:
    trainer, module = fit(tmp_path, GlideCallback(budget))
    assert module.rates == pytest.approx([0.1 * (1 - step / updates) for step in range(updates)])
    assert trainer.global_step == updates


# #8210: max_time ended at 1000 epochs, and no schedule knew of it.
def test_a_budget_in_time_ends_in_time_and_validates(tmp_path: pathlib.Path) -> None:
    begun = time.monotonic()
    trainer, module = fit(tmp_path, GlideCallback("4s"), delay=0.005)
    assert time.monotonic() - begun == pytest.approx(4, abs=2)
    assert module.rates[0] == 0.1 and module.rates[-1] < 0.1 * 0.02
    assert module.rates == sorted(module.rates, reverse=True)
    assert module.validations > 8
    assert trainer.fit_loop.max_epochs == -1


def test_more_than_a_thousand_epochs(tmp_path: pathlib.Path) -> None:
    trainer, _ = fit(tmp_path, GlideCallback("1100ep"), limit_train_batches=1, limit_val_batches=0)
    assert trainer.current_epoch >= 1100 and trainer.global_step == 1100


# #15462, #1772, #20552.
@pytest.mark.parametrize("asked", ["20it", "40it", "14it"])
def test_resumed_with_the_same_and_another_budget(tmp_path: pathlib.Path, asked: str) -> None:
    class Stop(pl.Callback):
        def on_train_batch_end(self, trainer, module, *args):
            if trainer.global_step == 8:
                trainer.save_checkpoint(tmp_path / "at8.ckpt")
                trainer.should_stop = True

    first = Module()
    loader = torch.utils.data.DataLoader(torch.rand(64, 1), batch_size=8)
    trainer = pl.Trainer(
        callbacks=[GlideCallback("20it"), Stop()],
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        default_root_dir=str(tmp_path),
    )
    with pytest.warns(UserWarning, match="ended before its budget 20it, at progress 0.400"):
        trainer.fit(first, loader)
    trainer, second = fit(tmp_path, GlideCallback(asked), resume=str(tmp_path / "at8.ckpt"))
    left = int(asked[:-2]) - 8
    assert first.rates == pytest.approx([0.1 * (1 - step / 20) for step in range(8)])
    assert second.rates == pytest.approx([0.06 * (1 - step / left) for step in range(left)])


def test_gradient_accumulation_counts_updates(tmp_path: pathlib.Path) -> None:
    _, module = fit(tmp_path, GlideCallback("2ep"), accumulate_grad_batches=4)
    assert module.rates == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_glide_lr_as_the_modules_own_scheduler(tmp_path: pathlib.Path) -> None:
    from glidepath.torch import GlideLR

    class Own(Module):
        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": GlideLR(optimizer, "8it"), "interval": "step"},
            }

    module = Own()
    loader = torch.utils.data.DataLoader(torch.rand(64, 1), batch_size=8)
    trainer = pl.Trainer(
        max_steps=8,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        default_root_dir=str(tmp_path),
    )
    trainer.fit(module, loader)
    assert module.rates == pytest.approx([0.1 * (1 - step / 8) for step in range(8)])


def test_what_it_cannot_work_with_is_told() -> None:
    with pytest.raises(glidepath.InputError, match='budget "soon"'):
        GlideCallback("soon")
    with pytest.raises(glidepath.InputError, match='budget "10%": give'):
        GlideCallback("10%")
