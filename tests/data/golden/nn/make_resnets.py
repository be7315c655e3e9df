#!/usr/bin/env python3
"""Writes what torchvision's networks are and do, for tests/nn/models_test.cpp (made with torchvision 0.14.1).

  names.txt              every entry of the state dict of resnet18, 34, 50: network, name, shape
  narrow-NAME.safetensors  a narrow network of torchvision's own blocks: weights, an input, its logits in training
                         and evaluation mode, and the gradient of conv1
"""
import os

import torch
import torch.nn as nn
import torchvision.models.resnet as resnet
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


class Narrow(resnet.ResNet):
    """torchvision's ResNet with every channel count divided by 16."""

    def __init__(self, block, layers):
        nn.Module.__init__(self)
        self._norm_layer, self.dilation, self.groups = nn.BatchNorm2d, 1, 1
        self.inplanes, self.base_width = 4, 64
        self.conv1 = nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for i, count in enumerate(layers):
            setattr(self, f"layer{i + 1}", self._make_layer(block, 4 * 2**i, count, stride=1 if i == 0 else 2))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(32 * block.expansion, 7)


with open(os.path.join(HERE, "names.txt"), "w") as file:
    for name in ("resnet18", "resnet34", "resnet50"):
        for key, value in getattr(resnet, name)(weights=None).state_dict().items():
            file.write(f"{name} {key} {'x'.join(map(str, value.shape)) or 'scalar'}\n")

for name, block, layers in (("resnet18", resnet.BasicBlock, [2, 2, 2, 2]), ("resnet50", resnet.Bottleneck, [3, 4, 6, 3])):
    torch.manual_seed(18)
    model = Narrow(block, layers)
    for parameter in model.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    images = torch.randn(3, 3, 64, 64)
    tensors = {f"model.{k}": v.clone() for k, v in model.state_dict().items()}
    tensors["images"] = images
    model.train()
    logits = model(images)
    tensors["train_logits"] = logits.detach().clone()
    logits.square().sum().backward()
    tensors["conv1_gradient"] = model.conv1.weight.grad.clone()
    tensors["running_var_after"] = model.layer4[0].bn2.running_var.clone()
    model.eval()
    tensors["eval_logits"] = model(images).detach().clone()
    save_file(tensors, os.path.join(HERE, f"narrow-{name}.safetensors"))
