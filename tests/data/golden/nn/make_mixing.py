# Makes mixing.safetensors beside it: a batch mixed by torchvision.transforms.v2's MixUp and CutMix with given shares and
# boxes, and the loss of the mixed labels with label smoothing by PyTorch. Run: python3 make_mixing.py
from pathlib import Path

import torch
from safetensors.torch import save_file
from torchvision.transforms import v2

CLASSES, BATCH, HEIGHT, WIDTH = 4, 6, 8, 10
SHARES = (0.3, 0.875)
BOXES = ((1, 2, 7, 6), (0, 0, 3, 8))  # x1, y1, x2, y2

torch.manual_seed(7)
images, labels = torch.randn(BATCH, 3, HEIGHT, WIDTH), torch.randint(0, CLASSES, (BATCH,))
logits = torch.randn(BATCH, CLASSES)
tensors = {"images": images, "labels": labels, "logits": logits, "shares": torch.tensor(SHARES, dtype=torch.float64),
           "boxes": torch.tensor(BOXES)}


def add(name, transform, params):
    params |= {"labels": labels, "batch_size": BATCH}
    tensors[f"{name}.images"] = transform.transform(images, params)
    mixed = transform.transform(labels, params)
    loss = torch.nn.functional.cross_entropy(logits, mixed, label_smoothing=0.1)
    tensors[f"{name}.loss"] = loss.double()
    tensors[f"{name}.right"] = (logits.argmax(1) == mixed.argmax(1)).sum()


for i, share in enumerate(SHARES):
    add(f"mixup{i}", v2.MixUp(num_classes=CLASSES), {"lam": share})
for i, box in enumerate(BOXES):
    share = 1 - (box[2] - box[0]) * (box[3] - box[1]) / (HEIGHT * WIDTH)
    add(f"cutmix{i}", v2.CutMix(num_classes=CLASSES), {"box": box, "lam_adjusted": share})
save_file(tensors, Path(__file__).with_name("mixing.safetensors"))
