# Makes finetune.safetensors beside it: a network for ten classes whose weights another one for three begins with, with
# everything up to its first stage frozen and those norms in evaluation mode, and six updates of it by PyTorch. Weights
# and statistics after them and the loss of each. Run: python3 make_finetune.py
from pathlib import Path

import torch
from resnets import away_from_initial_values, build
from safetensors.torch import save_file

CLASSES, UPDATES, BATCH, SIZE = 3, 6, 8, 16
FROZEN = ("conv1.", "bn1.", "layer1.")

torch.manual_seed(5)
before = build("resnet8", 0.25, "cifar", 10, 3, SIZE)
away_from_initial_values(before)
tensors = {f"before.{key}": value.clone() for key, value in before.state_dict().items()}

model = build("resnet8", 0.25, "cifar", CLASSES, 3, SIZE)
taken = {key: value for key, value in before.state_dict().items() if not key.startswith("fc.")}
model.load_state_dict(taken, strict=False)
tensors |= {"head.weight": model.fc.weight.detach().clone(), "head.bias": model.fc.bias.detach().clone()}
for name, parameter in model.named_parameters():
    parameter.requires_grad_(not name.startswith(FROZEN))
# The head learns ten times as fast.
head = [p for n, p in model.named_parameters() if n.startswith("fc.")]
rest = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith("fc.")]
optimizer = torch.optim.SGD([{"params": rest}, {"params": head, "lr": 0.2}], lr=0.02, momentum=0.9, nesterov=True,
                            weight_decay=5e-4)
images = torch.randn(UPDATES, BATCH, 3, SIZE, SIZE)
labels = torch.randint(0, CLASSES, (UPDATES, BATCH))
losses = []
for i in range(UPDATES):
    model.train()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d) and f"{name}.".startswith(FROZEN):
            module.eval()
    loss = torch.nn.functional.cross_entropy(model(images[i]), labels[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
tensors |= {f"after.{key}": value for key, value in model.state_dict().items()}
tensors |= {"images": images, "labels": labels, "losses": torch.tensor(losses)}
save_file(tensors, Path(__file__).with_name("finetune.safetensors"))
