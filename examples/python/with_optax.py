"""JAX and optax under a budget in time: the rate is a part of the optimizer's state, and jit compiles once.

python with_optax.py [BUDGET]
"""

import sys

import digits
import jax
import jax.numpy as jnp
import numpy
import optax

import glidepath
import glidepath.optax

(x, y), (test_x, test_y) = digits.load()
optimizer = glidepath.optax.with_rate(optax.sgd, momentum=0.9)
keys = jax.random.split(jax.random.key(0))
params = [
    jax.random.normal(keys[0], (64, 64)) / 8,
    jnp.zeros(64),
    jax.random.normal(keys[1], (64, 10)) / 8,
    jnp.zeros(10),
]
state = optimizer.init(params)


def logits(params, x):
    return jax.nn.relu(x @ params[0] + params[1]) @ params[2] + params[3]


@jax.jit
def update(params, state, x, y):
    def loss(params):
        return optax.softmax_cross_entropy_with_integer_labels(logits(params, x), y).mean()

    updates, state = optimizer.update(jax.grad(loss)(params), state, params)
    return optax.apply_updates(params, updates), state


random = numpy.random.default_rng(0)
glide = glidepath.Glide(sys.argv[1] if len(sys.argv) > 1 else "1m", base_lr=0.1)
while not glide.done:
    batch = random.integers(len(x), size=32)
    state = glidepath.optax.set_rate(state, glide.lr)
    params, state = update(params, state, x[batch], y[batch])
    glide.update()

accuracy = float((logits(params, test_x).argmax(1) == test_y).mean())
print(f"accuracy {100 * accuracy:.1f} % after {glide.step} updates")
