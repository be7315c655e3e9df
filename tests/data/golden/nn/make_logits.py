# Makes the .safetensors files beside it: narrow networks from torchvision's blocks with weights, one batch, and
# what PyTorch computes from them in eval mode, then in training mode with the gradients of the mean
# cross-entropy and the buffers afterwards. Run: python3 make_logits.py
from pathlib import Path

import torch
from resnets import away_from_initial_values, build
from safetensors.torch import save_file

CASES = {  # file: name, width, stem, classes, in_channels, image_size
    "resnet18": ("resnet18", 0.05, "cifar", 8, 3, 16),
    "resnet50": ("resnet50", 0.03, "imagenet", 5, 1, 40),
    "resnet8": ("resnet8", 0.5, "cifar", 10, 3, 16),
    "convnet": ("convnet", 0.25, "auto", 10, 1, 9),
    "mlp": ("mlp", 0.25, "auto", 10, 1, 8),
}
BATCH = 6

for file, case in CASES.items():
    torch.manual_seed(1)
    model = build(*case)
    away_from_initial_values(model)
    tensors = {f"before.{k}": v.clone() for k, v in model.state_dict().items()}
    images = torch.randn(BATCH, case[4], case[5], case[5])
    labels = torch.arange(BATCH) % case[3]
    tensors.update(images=images, labels=labels, eval_logits=model.eval()(images).detach())
    logits = model.train()(images)
    torch.nn.functional.cross_entropy(logits, labels).backward()
    tensors["train_logits"] = logits.detach()
    tensors.update({f"gradient.{k}": p.grad for k, p in model.named_parameters()})
    tensors.update({f"after.{k}": b for k, b in model.named_buffers()})
    save_file(tensors, Path(__file__).with_name(f"{file}.safetensors"),
              metadata={key: str(value) for key, value in
                        zip(("name", "width", "stem", "classes", "in_channels", "image_size"), case)})
