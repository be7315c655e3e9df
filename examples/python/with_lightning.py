"""Lightning's Trainer under a budget.

python with_lightning.py [BUDGET]
"""

import sys

import digits
import lightning
import torch
from torch.nn import functional

from glidepath.lightning import GlideCallback


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))

    def training_step(self, batch, index):
        return functional.cross_entropy(self.layers(batch[0]), batch[1])

    def validation_step(self, batch, index):
        self.log("accuracy", (self.layers(batch[0]).argmax(1) == batch[1]).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


train, test = (torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)) for x, y in digits.load())
# The one addition: no max_epochs, no max_time, no scheduler in the module.
callback = GlideCallback(sys.argv[1] if len(sys.argv) > 1 else "1m")
trainer = lightning.Trainer(callbacks=[callback], accelerator="cpu", logger=False, enable_checkpointing=False)
trainer.fit(
    Classifier(),
    torch.utils.data.DataLoader(train, 32, shuffle=True),
    torch.utils.data.DataLoader(test, 359),
)
print(f"accuracy {100 * trainer.callback_metrics['accuracy']:.1f} % after {trainer.global_step} updates")
