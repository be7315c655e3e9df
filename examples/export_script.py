# A network of torchvision, timm or your own as a TorchScript file, which glidepath train takes as its model:
#   python3 examples/export_script.py torchvision:mobilenet_v3_small 10 net.pt
#   glidepath train --data cifar10 --model script:net.pt --budget 10m
# For a module of your own the last line is all there is: torch.jit.script(module).save("net.pt").
import sys

import torch

name, classes, out = sys.argv[1:]
library, _, network = name.partition(":")
if library == "timm":
    import timm

    module = timm.create_model(network, num_classes=int(classes), scriptable=True)
else:
    import torchvision

    module = torchvision.models.get_model(network, num_classes=int(classes))
torch.jit.script(module).save(out)
