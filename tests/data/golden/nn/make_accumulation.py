# Makes accumulation.safetensors beside it: four updates of a network with batch norm by PyTorch, whose batches of 8 pass in
# pieces of 3, 3 and 2 and whose gradients add up by the pieces' share. Weights and statistics before and after, and the loss
# of each update. Run: python3 make_accumulation.py
from pathlib import Path

import torch
from resnets import build
from safetensors.torch import save_file

CLASSES, UPDATES, BATCH, PIECE, SIZE = 3, 4, 8, 3, 12

torch.manual_seed(9)
model = build("resnet8", 0.25, "cifar", CLASSES, 3, SIZE)
tensors = {f"before.{key}": value.clone() for key, value in model.state_dict().items()}
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
images = torch.randn(UPDATES, BATCH, 3, SIZE, SIZE)
labels = torch.randint(0, CLASSES, (UPDATES, BATCH))
losses = []
for batch, classes in zip(images, labels):
    optimizer.zero_grad()
    total = 0
    for some, its in zip(batch.split(PIECE), classes.split(PIECE)):
        loss = torch.nn.functional.cross_entropy(model(some), its) * len(some) / BATCH
        loss.backward()
        total += loss.item()
    optimizer.step()
    losses.append(total)
tensors |= {f"after.{key}": value for key, value in model.state_dict().items()}
tensors |= {"images": images, "labels": labels, "losses": torch.tensor(losses)}
save_file(tensors, Path(__file__).with_name("accumulation.safetensors"))
