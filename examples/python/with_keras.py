"""Keras's fit under a budget.

KERAS_BACKEND=torch python with_keras.py [BUDGET]
"""

import sys

import digits
import keras

from glidepath.keras import GlideCallback

(x, y), test = digits.load()
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)])
model.compile(
    optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
# The one addition; it ends fit, so the number of epochs only has to be large.
callback = GlideCallback(sys.argv[1] if len(sys.argv) > 1 else "1m")
model.fit(x, y, batch_size=32, epochs=10**6, verbose=0, callbacks=[callback])
loss, accuracy = model.evaluate(*test, verbose=0)
print(f"accuracy {100 * accuracy:.1f} % after {callback.glide.step} updates")
