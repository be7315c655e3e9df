"""GradNorm against the gradient itself, computed by autograd on all examples at once."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")

import glidepath  # noqa: E402
from glidepath.torch import GradNorm  # noqa: E402

EXAMPLES, BATCH = 512, 16
STEPS = EXAMPLES // BATCH


def problem(norm: bool = False):
    torch.manual_seed(1)
    x = torch.randn(EXAMPLES, 6)
    y = torch.sin(x[:, :1]) + 0.5 * torch.randn(EXAMPLES, 1)
    layers = [torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8)] if norm else [torch.nn.Linear(6, 8)]
    model = torch.nn.Sequential(*layers, torch.nn.Tanh(), torch.nn.Linear(8, 1))
    return model, x, y


def whole_norm(model, x, y, decay: float = 0.0) -> float:
    loss = torch.nn.functional.mse_loss(model(x), y)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    return float(
        sum(float((g + decay * p).detach().square().sum()) for g, p in zip(gradients, model.parameters())) ** 0.5
    )


def epochs(x, y, count: int):
    generator = torch.Generator().manual_seed(2)
    for _ in range(count):
        order = torch.randperm(EXAMPLES, generator=generator)
        for step in range(STEPS):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            yield x[chosen], y[chosen]


def test_exact_is_the_gradient_of_all_examples_at_once() -> None:
    model, x, y = problem(norm=True)
    model.eval()
    batches = [(x[i : i + 100], y[i : i + 100]) for i in range(0, EXAMPLES, 100)]  # the last one is smaller
    grad_norm = GradNorm(model, examples=EXAMPLES, steps_per_epoch=STEPS)

    def exact(decay: float) -> float:
        return grad_norm.exact(
            batches,
            lambda b: torch.nn.functional.mse_loss(model(b[0]), b[1]),
            lambda b: len(b[0]),
            weight_decay=decay,
        )

    assert exact(0.0) == pytest.approx(whole_norm(model, x, y), rel=1e-5)
    assert exact(0.1) == pytest.approx(whole_norm(model, x, y, 0.1), rel=1e-5)
    assert all(parameter.grad is None for parameter in model.parameters())
    with pytest.raises(glidepath.InputError, match="no batch"):
        grad_norm.exact([], lambda b: b, lambda b: 1)


def train(lr: float, count: int, peeks: bool):
    model, x, y = problem()
    loss_of = lambda batch: torch.nn.functional.mse_loss(model(batch[0]), batch[1])  # noqa: E731
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    grad_norm = GradNorm(model, examples=EXAMPLES, steps_per_epoch=STEPS, peek_every=8)
    batches, exact = list(epochs(x, y, count)), []
    for step, batch in enumerate(batches[:-1]):
        if step % 16 == 0:
            exact.append(whole_norm(model, x, y) ** 2)
        optimizer.zero_grad()
        loss_of(batch).backward()
        grads = [parameter.grad.clone() for parameter in model.parameters()]
        peek = (lambda step=step: loss_of(batches[step + 1])) if peeks else None
        grad_norm.observe(batch_size=BATCH, lr=lr, peek=peek)
        assert all(torch.equal(a, p.grad) for a, p in zip(grads, model.parameters()))
        optimizer.step()
    return grad_norm.estimate(), sum(exact) / len(exact)


def test_at_fixed_weights_the_estimate_is_the_exact_norm() -> None:
    estimate, exact = train(0.0, 40, peeks=True)
    assert estimate.pairs == 40 * STEPS // 2 - 1
    assert abs(estimate.squared_norm - exact) < 4 * estimate.squared_error
    assert estimate.squared_error < 0.2 * exact
    assert estimate.low < exact**0.5 < estimate.high or abs(estimate.norm - exact**0.5) < 4 * estimate.error


# Pflug 1990: where SGD has settled, inner products alone are far below |g*|^2.
def test_peeks_take_out_what_moving_weights_do() -> None:
    biased, exact = train(0.3, 60, peeks=False)
    right, _ = train(0.3, 60, peeks=True)
    assert abs(right.squared_norm - exact) < 4 * right.squared_error
    assert biased.squared_norm < right.squared_norm - 4 * right.squared_error
    assert right.peeks > 100 and biased.peeks == 0


def test_batch_norms_running_statistics_are_put_back() -> None:
    model, x, y = problem(norm=True)
    grad_norm = GradNorm(model, examples=EXAMPLES, steps_per_epoch=STEPS)
    torch.nn.functional.mse_loss(model(x[:BATCH]), y[:BATCH]).backward()
    before = [buffer.clone() for buffer in model.buffers()]
    grad_norm.observe(
        batch_size=BATCH, lr=0.1, peek=lambda: torch.nn.functional.mse_loss(model(x[BATCH:40]), y[BATCH:40])
    )
    assert all(torch.equal(a, b) for a, b in zip(before, model.buffers()))


def test_windows_and_states() -> None:
    model, x, y = problem()
    first, second = (GradNorm(model, examples=EXAMPLES, steps_per_epoch=STEPS) for _ in range(2))
    for step, batch in enumerate(epochs(x, y, 2)):
        model.zero_grad()
        torch.nn.functional.mse_loss(model(batch[0]), batch[1]).backward()
        if step == 30:
            second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        for each in (first, second) if step >= 30 else (first,):
            each.observe(batch_size=BATCH, lr=0.1)
    assert second.estimate().squared_norm == first.estimate().squared_norm
    first.start_window()
    assert first.estimate().pairs == 0
    with pytest.raises(glidepath.InputError, match="not of a GradNorm"):
        first.load_state_dict({})


def test_what_cannot_be_is_refused() -> None:
    model, *_ = problem()
    for wrong in ({"examples": 0}, {"steps_per_epoch": 0}, {"stride": 1}, {"peek_every": 0}):
        with pytest.raises(glidepath.InputError, match=next(iter(wrong))):
            GradNorm(model, **{"examples": 10, "steps_per_epoch": 10, **wrong})
    with pytest.raises(glidepath.InputError, match="no parameter"):
        GradNorm(torch.nn.ReLU(), examples=10, steps_per_epoch=10)
