# Makes NAME.pt2, small networks that torch.export.save() wrote (PyTorch 2.15), and NAME.safetensors: some updates of
# each by PyTorch, with the loss of each, weights and statistics after them, and what it then says in evaluation mode.
# Run: python3 make_pt2.py
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.export import Dim, export
from torchvision.models import VisionTransformer
from torchvision.models.resnet import BasicBlock, ResNet

torch.set_num_threads(1)
UPDATES, BATCH = 4, 8
here = Path(__file__).parent


def resnet():
    """torchvision's ResNet with a block a stage and a sixteenth of the channels."""

    class Narrow(ResNet):
        def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
            if planes == 64:
                self.inplanes = 4
            return super()._make_layer(block, planes // 16, blocks, stride, dilate)

    net = Narrow(BasicBlock, [1, 1, 1, 1], num_classes=10)
    net.conv1, net.bn1, net.fc = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4), nn.Linear(32, 10)
    return net


def vit():
    return VisionTransformer(image_size=16, patch_size=4, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=64, num_classes=10)


class Gpt(nn.Module):
    """Learned positions, causal attention by scaled_dot_product_attention, a head that is the embedding's weight."""

    def __init__(self, vocabulary=20, context=16, width=24, heads=2, layers=2):
        super().__init__()
        self.heads = heads
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.qkv = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(layers))
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.mlp = nn.ModuleList(nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width)) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * layers + 1))
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("places", torch.arange(context)[None], persistent=False)

    def forward(self, tokens):
        batch, length = tokens.shape
        x = self.embedding(tokens) + self.position(self.places[:, :length])
        for i, qkv in enumerate(self.qkv):
            q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in qkv(self.norms[2 * i](x)).chunk(3, -1))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out[i](y.transpose(1, 2).reshape(batch, length, -1))
            x = x + self.mlp[i](self.norms[2 * i + 1](x))
        return self.head(self.norms[-1](x))


class Mixed(nn.Module):
    """What the others have not: two inputs, its own loss first, a dictionary, gradients off within, a constant, a
    buffer that is changed, no statistics in one norm, a mask of -inf, sizes computed with, numbers as inputs."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.own, self.fc = nn.BatchNorm2d(6, track_running_stats=False), nn.Linear(6, 10)
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("scale", torch.full((6,), 1.5), persistent=False)
        self.weights = torch.tensor([1.0] * 9 + [2.0])

    def forward(self, x, targets, power: int = 2):
        y = torch.relu(self.norm(self.conv(x)))
        with torch.no_grad():
            self.seen += 1
            gate = y.mean((2, 3)).sigmoid()
        with torch.autocast("cpu", enabled=False):
            y = self.own(y) * self.scale[:, None, None]
        features = (y.flatten(2).transpose(1, 2) ** power).mean(1) * gate
        logits = self.fc(features)
        half = x.shape[0] * 64 // 2
        masked = logits.masked_fill(logits < -5, float("-inf")).softmax(-1)
        loss = nn.functional.cross_entropy(logits, targets, weight=self.weights) + masked.square().sum() / half
        return {"loss": loss, "parts": (logits, [features])}


class Digits(nn.Module):
    """With a norm and dropout, for the carried digits."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.drop, self.fc = nn.Dropout(0.1), nn.Linear(8 * 16, 10)

    def forward(self, x):
        return self.fc(self.drop(nn.functional.max_pool2d(torch.relu(self.norm(self.conv(x))), 2).flatten(1)))


def batches(net, name):
    torch.manual_seed(5)
    if name == "gpt":
        tokens = torch.randint(0, 20, (UPDATES, BATCH, 13))
        return tokens[..., :-1].contiguous(), tokens[..., 1:].contiguous()
    shape = (1, 8, 8) if name == "mixed" else (3, 32, 32) if name == "resnet" else (3, 16, 16)
    return torch.randn(UPDATES, BATCH, *shape), torch.randint(0, 10, (UPDATES, BATCH))


def loss_of(net, name, inputs, targets):
    if name == "mixed":
        return net(inputs, targets)["loss"]
    return nn.functional.cross_entropy(net(inputs).flatten(0, -2), targets.flatten())


def make(name, net, mode):
    inputs, targets = batches(net, name)
    given = (inputs[0].clone(), targets[0].clone()) if name == "mixed" else (inputs[0].clone(),)
    sizes = {0: Dim.AUTO, 1: Dim.AUTO} if name == "gpt" else {0: Dim.AUTO}
    program = export(net.train(mode), given, dynamic_shapes=(sizes, sizes) if name == "mixed" else (sizes,))
    for node in program.graph.nodes:  # half of the file
        node.meta.pop("stack_trace", None)
    file = name + ("" if mode else "_eval")
    torch.export.save(program, here / f"{file}.pt2")
    if "-v" in sys.argv:
        print(program)
    if not mode:
        return
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=5e-4)
    losses = []
    for i in range(UPDATES):
        loss = loss_of(net, name, inputs[i], targets[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tensors = {f"after.{key}": value.clone() for key, value in net.state_dict().items() if key != "head.weight"}
    net.eval()
    with torch.no_grad():
        tensors["outputs"] = (net(inputs[0], targets[0])["parts"][0] if name == "mixed" else net(inputs[0])).clone()
        tensors["loss"] = loss_of(net, name, inputs[0], targets[0])
    save_file(tensors | {"inputs": inputs, "targets": targets, "losses": torch.tensor(losses)}, here / f"{name}.safetensors")


torch.manual_seed(3)
program = export(Digits(), (torch.zeros(4, 1, 8, 8),), dynamic_shapes=({0: Dim.AUTO},))
torch.export.save(program, here / "digits.pt2")
for name, kind in {"resnet": resnet, "vit": vit, "gpt": Gpt, "mixed": Mixed}.items():
    torch.manual_seed(3)
    net = kind()
    if name == "mixed":
        make(name, net, False)
    make(name, net, True)
