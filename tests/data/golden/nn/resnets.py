# The networks of src/nn/, built from torchvision's blocks and PyTorch's layers, for the scripts beside this file.
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

IMAGENET_PLANES, CIFAR_PLANES = (64, 128, 256, 512), (16, 32, 64)
FORMS = {
    "resnet18": (BasicBlock, IMAGENET_PLANES, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, IMAGENET_PLANES, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, IMAGENET_PLANES, (3, 4, 6, 3)),
    "resnet8": (BasicBlock, CIFAR_PLANES, (1, 1, 1)),
    "resnet20": (BasicBlock, CIFAR_PLANES, (3, 3, 3)),
    "resnet32": (BasicBlock, CIFAR_PLANES, (5, 5, 5)),
    "resnet56": (BasicBlock, CIFAR_PLANES, (9, 9, 9)),
}


def scaled(channels, width):
    return max(1, int(channels * width + 0.5))


class AnyResNet(ResNet):
    """torchvision's ResNet with any number of stages, their channels scaled by `width`, and either stem."""

    def __init__(self, name, width=1.0, stem="imagenet", classes=1000, in_channels=3):
        nn.Module.__init__(self)
        block, planes, blocks = FORMS[name]
        self._norm_layer, self.groups, self.base_width, self.dilation = nn.BatchNorm2d, 1, 64, 1
        planes = [scaled(p, width) for p in planes]
        self.inplanes = planes[0]
        kernel, stride, padding = (7, 2, 3) if stem == "imagenet" else (3, 1, 1)
        self.conv1 = nn.Conv2d(in_channels, planes[0], kernel, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(planes[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if stem == "imagenet" else nn.Identity()
        self.stages = len(planes)
        for i, (p, n) in enumerate(zip(planes, blocks)):
            setattr(self, f"layer{i + 1}", self._make_layer(block, p, n, stride=1 if i == 0 else 2))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(planes[-1] * block.expansion, classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class ConvNet(nn.Module):
    def __init__(self, size, in_channels, classes, width=1.0):
        super().__init__()
        a, b = scaled(32, width), scaled(64, width)
        self.conv1, self.bn1 = nn.Conv2d(in_channels, a, 3, padding=1, bias=False), nn.BatchNorm2d(a)
        self.conv2, self.bn2 = nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b)
        self.fc = nn.Linear(b * (size // 4) ** 2, classes)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = torch.max_pool2d(torch.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(torch.flatten(x, 1))


class Mlp(nn.Module):
    def __init__(self, size, in_channels, classes, width=1.0):
        super().__init__()
        h = scaled(128, width)
        self.fc1, self.fc2 = nn.Linear(in_channels * size * size, h), nn.Linear(h, h)
        self.fc3 = nn.Linear(h, classes)

    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))))


def build(name, width, stem, classes, in_channels, size):
    if name == "convnet":
        return ConvNet(size, in_channels, classes, width)
    if name == "mlp":
        return Mlp(size, in_channels, classes, width)
    return AnyResNet(name, width, stem, classes, in_channels)


@torch.no_grad()
def away_from_initial_values(model):
    """Norms and biases begin with special values, at which mistakes in them would not be seen."""
    for key, tensor in model.state_dict().items():
        if key.endswith("running_mean") or key.endswith("bias"):
            tensor.uniform_(-0.3, 0.3)
        elif key.endswith("running_var") or tensor.dim() == 1:
            tensor.uniform_(0.5, 1.5)
