# Makes training_flops.csv: floating-point operations of the forward pass, and of forward and backward, of one image,
# counted by PyTorch's own FlopCounterMode (2.1 and later) on the networks of resnets.py. It counts convolutions and
# matrix products, a multiply-add as 2, and no norms; the images need no gradient, as in training.
# Run: python3 make_training_flops.py
from pathlib import Path

import torch
from resnets import FORMS, build
from torch.utils.flop_counter import FlopCounterMode

CASES = [(name, 1.0, "imagenet", 1000, 3, 224) for name in ("resnet18", "resnet50")]
CASES += [(name, 1.0, "cifar", 10, 3, 32) for name in ("resnet18", "resnet50", "resnet8", "resnet20")]
CASES += [("resnet18", 0.25, "cifar", 10, 3, 32), ("convnet", 1.0, "auto", 10, 1, 8), ("mlp", 1.0, "auto", 10, 1, 8)]


def count(model, images, backward):
    with FlopCounterMode(display=False) as counter:
        logits = model(images)
        if backward:
            logits.sum().backward()
    return counter.get_total_flops()


with open(Path(__file__).with_name("training_flops.csv"), "w") as out:
    print("name,width,stem,classes,in_channels,image_size,forward,forward_and_backward", file=out)
    for case in CASES:
        # Shapes are enough: nothing is computed on the meta device.
        model = build(*case).to("meta").train()
        images = torch.zeros(2, case[4], case[5], case[5], device="meta")  # a norm wants more than one value
        forward, both = (count(model, images, backward) // 2 for backward in (False, True))
        print(*case, forward, both, sep=",", file=out)
