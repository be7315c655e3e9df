"""GlideCallback in the real Hugging Face Trainer, with what its users complained of (user-pain threads by number)."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import warnings

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

import glidepath  # noqa: E402
from glidepath.transformers import GlideCallback  # noqa: E402

os.environ.setdefault("WANDB_DISABLED", "true")


class Squares(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        x = torch.tensor([index / 64.0])
        return {"x": x, "labels": x * x}


class Small(torch.nn.Module):
    def __init__(self, delay: float = 0.0) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.delay = delay

    def forward(self, x, labels):
        time.sleep(self.delay)
        out = self.layer(x)
        return {"loss": torch.nn.functional.mse_loss(out, labels), "logits": out}


class Watch(transformers.TrainerCallback):
    """The rate of every update, as the optimizer has it."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.rates: list[float] = []
        self.stop_after = stop_after

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        self.rates.append(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args, state, control, **kwargs):
        if self.stop_after == state.global_step:
            control.should_save = control.should_training_stop = True


def make_trainer(folder: pathlib.Path, *callbacks, delay: float = 0.0, **options):
    arguments = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 8,
        "learning_rate": 0.1,
        "optim": "sgd",
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": True,
        "save_strategy": "no",
        "logging_steps": 1,
        **options,
    }
    return transformers.Trainer(
        Small(delay),
        transformers.TrainingArguments(**arguments),
        train_dataset=Squares(),
        eval_dataset=Squares(),
        callbacks=list(callbacks),
    )


@pytest.mark.parametrize(("budget", "updates"), [("20it", 20), ("1.5ep", 12), ("50%", 12), ("3it", 3)])
def test_budgets_in_updates(tmp_path: pathlib.Path, budget: str, updates: int) -> None:
    watch = Watch()
    trainer = make_trainer(tmp_path, watch, GlideCallback(budget))
    trainer.train()
    assert watch.rates == pytest.approx([0.1 * (1 - step / updates) for step in range(updates)])
    logged = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
    assert logged == pytest.approx(watch.rates)


# Lightning #8210's pain in the Trainer: the default of 3 epochs ends first.
def test_a_budget_in_time_ends_in_time_with_its_own_save_and_evaluation(tmp_path: pathlib.Path) -> None:
    watch = Watch()
    trainer = make_trainer(
        tmp_path,
        watch,
        GlideCallback("4s"),
        delay=0.02,
        save_strategy="steps",
        save_steps=10**6,
        eval_strategy="steps",
        eval_steps=60,
    )
    begun = time.monotonic()
    trainer.train()
    assert time.monotonic() - begun == pytest.approx(4, abs=2)
    assert len(watch.rates) > 30 and watch.rates[0] == pytest.approx(0.1) and watch.rates[-1] < 0.1 * 0.02
    assert watch.rates == sorted(watch.rates, reverse=True)
    assert (tmp_path / f"checkpoint-{len(watch.rates)}").is_dir()
    assert trainer.state.log_history[-2]["step"] == len(watch.rates) and "eval_loss" in trainer.state.log_history[-2]


def test_its_progress_bar_counts_to_no_billion(tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    trainer = make_trainer(tmp_path, GlideCallback("2s"), delay=0.02, disable_tqdm=False)
    result = trainer.train()
    shown = capfd.readouterr().err
    assert "000000" not in shown and "it/s" in shown
    assert result.metrics["train_samples_per_second"] == pytest.approx(
        8 * result.metrics["train_steps_per_second"], rel=0.05
    )
    json.loads(trainer.state.to_json_string() if hasattr(trainer.state, "to_json_string") else "{}")


# transformers #4383, #23099, #34053.
@pytest.mark.parametrize("asked", ["20it", "40it", "14it"])
def test_resumed_with_the_same_and_another_budget(tmp_path: pathlib.Path, asked: str) -> None:
    first, second = Watch(stop_after=10), Watch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_trainer(tmp_path, first, GlideCallback("20it"), save_strategy="steps", save_steps=10**6).train()
        trainer = make_trainer(tmp_path, second, GlideCallback(asked))
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-10"))
    left = int(asked[:-2]) - 10
    assert first.rates == pytest.approx([0.1 * (1 - step / 20) for step in range(10)])
    assert second.rates == pytest.approx([0.05 * (1 - step / left) for step in range(left)])


def test_a_time_budget_resumed_counts_what_was_spent(tmp_path: pathlib.Path) -> None:
    first, second = Watch(stop_after=60), Watch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_trainer(tmp_path, first, GlideCallback("5s"), delay=0.02, save_strategy="steps", save_steps=10**6).train()
    begun = time.monotonic()
    make_trainer(tmp_path, second, GlideCallback("5s"), delay=0.02).train(
        resume_from_checkpoint=str(tmp_path / "checkpoint-60")
    )
    assert time.monotonic() - begun < 5
    assert second.rates[0] <= first.rates[-1] and second.rates[0] > 0.8 * first.rates[-1]
    assert second.rates[-1] < 0.1 * 0.02


def test_gradient_accumulation_counts_updates(tmp_path: pathlib.Path) -> None:
    watch = Watch()
    make_trainer(tmp_path, watch, GlideCallback("2ep"), gradient_accumulation_steps=4).train()
    assert watch.rates == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_what_it_cannot_work_with_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(glidepath.InputError, match='budget "soon"'):
        GlideCallback("soon")
    with pytest.raises(glidepath.InputError, match="give updates"):
        make_trainer(tmp_path, GlideCallback("1e12flop"))
    trainer = make_trainer(
        tmp_path, GlideCallback("5it"), lr_scheduler_type="reduce_lr_on_plateau", eval_strategy="epoch"
    )
    with pytest.raises(glidepath.InputError, match="one of its own making"):
        trainer.train()


# transformers #26827, accelerate #2926: with 2 processes the rate reached 0 at half of the updates.
def test_two_processes(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "two.py"
    program.write_text(
        f"""
import json, pathlib, sys
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import test_transformers as t
watch = t.Watch()
trainer = t.make_trainer(pathlib.Path({str(tmp_path)!r}), watch, t.GlideCallback(sys.argv[1]), delay=0.02, ddp_backend="gloo")
trainer.train()
rank = trainer.args.process_index
(pathlib.Path({str(tmp_path)!r}) / f"{{sys.argv[1]}}-{{rank}}.json").write_text(json.dumps(watch.rates))
"""
    )
    for budget in ("8it", "3s"):
        answer = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(program), budget],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert answer.returncode == 0, answer.stderr[-2000:]
        first, second = (json.loads((tmp_path / f"{budget}-{rank}.json").read_text()) for rank in range(2))
        assert first == second
        if budget == "8it":
            assert first == pytest.approx([0.1 * (1 - step / 8) for step in range(8)])
        else:
            assert first[-1] < 0.1 * 0.02
