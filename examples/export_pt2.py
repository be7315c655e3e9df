# A network of torchvision, timm or your own as a program of torch.export, which glidepath train takes as its model:
#   python3 examples/export_pt2.py torchvision:resnet18 10 32 net.pt2
#   glidepath train --data cifar10 --model pt2:net.pt2 --budget 10m
# For a module of your own the last four lines are all there is. With stochastic depth: module.eval() before them.
import sys

import torch

name, classes, side, out = sys.argv[1:]
library, _, network = name.partition(":")
if library == "timm":
    import timm

    module = timm.create_model(network, num_classes=int(classes))
else:
    import torchvision

    module = torchvision.models.get_model(network, num_classes=int(classes))
images = torch.zeros(4, 3, int(side), int(side))
any_number = {0: torch.export.Dim.AUTO}  # of examples: batches are of several sizes
program = torch.export.export(module, (images,), dynamic_shapes=(any_number,))
torch.export.save(program, out)
