# Makes script.pt and script_own.pt, a small network with batch norm that torch.jit.script saved (by torch 2.15; LibTorch 1.13 reads it), and
# script.safetensors: six updates of it by PyTorch, with the loss of each, weights and statistics after them, what
# it then says in evaluation mode, and its statistics by torch.optim.swa_utils.update_bn.
# pickled.pt is the same weights as torch.save pickles them. Run: python3 make_script.py
from pathlib import Path
from typing import Dict

import torch
from safetensors.torch import save_file
from torch import nn

UPDATES, BATCH = 6, 8


class Small(nn.Module):
    """A branch, a norm, a tuple: what plain sequences of layers do not have."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 10)

    def forward(self, x: torch.Tensor):
        y = torch.relu(self.norm(self.conv(x)))
        if x.shape[2] > 4:
            y = torch.max_pool2d(y, 2)
        return self.fc(y.mean((2, 3))), y


class Own(Small):
    """With a loss and metrics of its own; they take both outputs, and the target."""

    @torch.jit.export
    def loss(self, logits: torch.Tensor, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return nn.functional.multi_margin_loss(logits, labels) + 0.01 * features.square().mean()

    @torch.jit.export
    def metrics(self, logits: torch.Tensor, features: torch.Tensor, labels: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"top2_accuracy": (logits.topk(2, 1)[1] == labels[:, None]).any(1).float().mean(),
                "margin_error": nn.functional.multi_margin_loss(logits, labels)}


here = Path(__file__).parent
torch.manual_seed(3)
model = Small()
torch.jit.script(model).save(str(here / "script.pt"))
torch.save(model.state_dict(), here / "pickled.pt")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
images, labels = torch.randn(UPDATES, BATCH, 1, 8, 8), torch.randint(0, 10, (UPDATES, BATCH))
losses = []
for i in range(UPDATES):
    loss = nn.functional.cross_entropy(model(images[i])[0], labels[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
tensors = {f"after.{key}": value.clone() for key, value in model.state_dict().items()}
model.eval()
tensors |= {"images": images, "labels": labels, "losses": torch.tensor(losses), "logits": model(images[0])[0].detach()}
torch.optim.swa_utils.update_bn(list(images), model)
tensors |= {"fresh.mean": model.norm.running_mean.clone(), "fresh.var": model.norm.running_var.clone()}
torch.manual_seed(3)
own = Own()
torch.jit.script(own).save(str(here / "script_own.pt"))
own.eval()
with torch.no_grad():
    outputs = own(images[0])
    tensors |= {"own.loss": own.loss(*outputs, labels[0]), "own.logits": outputs[0].clone()}
    tensors |= {f"own.{name}": value for name, value in own.metrics(*outputs, labels[0]).items()}
save_file(tensors, here / "script.safetensors")
