# Makes flops.csv: parameters and operations of one image's forward pass, counted by Meta's fvcore on the networks
# of resnets.py. fvcore counts a multiply-add of convolutions and linear layers as one operation, and a norm's
# in eval mode as 2 an element. Run: python3 make_flops.py
import logging
from pathlib import Path

import torch
from fvcore.nn import FlopCountAnalysis
from resnets import FORMS, build

logging.getLogger("fvcore").setLevel(logging.ERROR)
CASES = [(name, 1.0, "imagenet", 1000, 3, 224) for name in ("resnet18", "resnet34", "resnet50")]
CASES += [(name, 1.0, "cifar", 10, 3, 32) for name in FORMS]
CASES += [("resnet18", 0.25, "cifar", 10, 3, 32), ("resnet18", 0.3, "cifar", 100, 3, 33), ("resnet8", 1.0, "cifar", 10, 1, 8)]
CASES += [(name, 1.0, "auto", 10, 1, size) for name in ("convnet", "mlp") for size in (8, 28)]

with open(Path(__file__).with_name("flops.csv"), "w") as out:
    print("name,width,stem,classes,in_channels,image_size,parameters,conv_multiply_adds,linear_multiply_adds,norm_operations", file=out)
    for case in CASES:
        model = build(*case).eval()
        counts = FlopCountAnalysis(model, torch.zeros(1, case[4], case[5], case[5])).by_operator()
        parameters = sum(p.numel() for p in model.parameters())
        print(*case, parameters, *(int(counts[k]) for k in ("conv", "linear", "batch_norm")), sep=",", file=out)
