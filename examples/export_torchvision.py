# A torchvision checkpoint as safetensors, which glidepath evaluate reads unchanged:
#   python3 examples/export_torchvision.py resnet18 resnet18.safetensors [checkpoint.pth]
#   glidepath evaluate --weights resnet18.safetensors --model resnet18 --data imagefolder:/data/imagenet
import sys

import torch
import torchvision
from safetensors.torch import save_file

name, out, *checkpoint = sys.argv[1:]
state = (
    torch.load(checkpoint[0], map_location="cpu")
    if checkpoint
    else torchvision.models.get_model(name, weights="DEFAULT").state_dict()
)
save_file({key: value.contiguous() for key, value in state.items()}, out)
