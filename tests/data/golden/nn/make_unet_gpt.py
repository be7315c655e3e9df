# Makes unet.safetensors and gpt.safetensors: a narrow UNet and a narrow GPT in PyTorch's own modules, with weights, one
# batch, and what PyTorch computes from them: outputs in eval mode, then in training mode with the gradients of the mean
# cross-entropy and the buffers afterwards; and in the metadata the operations of one example, as PyTorch's
# FlopCounterMode counts them (no norms). The UNet has milesial's names, the GPT nanoGPT's. Run: python3 make_unet_gpt.py
from pathlib import Path

import torch
from resnets import away_from_initial_values
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode


class DoubleConv(nn.Module):
    def __init__(self, inside, out):
        super().__init__()
        layers = []
        for channels in (inside, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.double_conv = nn.Sequential(*layers)

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, inside, out):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(inside, out))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, inside, out):
        super().__init__()
        self.up = nn.ConvTranspose2d(inside, out, 2, stride=2)
        self.conv = DoubleConv(2 * out, out)

    def forward(self, x, skipped):
        return self.conv(torch.cat([skipped, self.up(x)], 1))


class OutConv(nn.Module):
    def __init__(self, inside, out):
        super().__init__()
        self.conv = nn.Conv2d(inside, out, 1)

    def forward(self, x):
        return self.conv(x)


class Unet(nn.Module):
    def __init__(self, base, classes):
        super().__init__()
        self.inc = DoubleConv(3, base)
        for i in range(4):
            setattr(self, f"down{i + 1}", Down(base << i, base << (i + 1)))
        for i in range(4):
            setattr(self, f"up{i + 1}", Up(base << (4 - i), base << (3 - i)))
        self.outc = OutConv(base, classes)

    def forward(self, x):
        height, width = x.shape[2:]
        x = F.pad(x, (0, -width % 16, 0, -height % 16))
        levels = [self.inc(x)]
        for i in range(4):
            levels.append(getattr(self, f"down{i + 1}")(levels[-1]))
        x = levels[4]
        for i in range(4):
            x = getattr(self, f"up{i + 1}")(x, levels[3 - i])
        return self.outc(x)[:, :, :height, :width]


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(channels, 3 * channels, bias=False)
        self.c_proj = nn.Linear(channels, channels, bias=False)

    def forward(self, x):
        batch, tokens, channels = x.shape
        q, k, v = (part.view(batch, tokens, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).chunk(3, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(batch, tokens, channels))


class Perceptron(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.c_fc = nn.Linear(channels, 4 * channels, bias=False)
        self.c_proj = nn.Linear(4 * channels, channels, bias=False)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Layer(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(channels, bias=False), nn.LayerNorm(channels, bias=False)
        self.attn, self.mlp = Attention(channels, heads), Perceptron(channels)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    def __init__(self, vocabulary, context, channels, heads=4, layers=4):
        super().__init__()
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(vocabulary, channels), "wpe": nn.Embedding(context, channels),
            "h": nn.ModuleList(Layer(channels, heads) for _ in range(layers)),
            "ln_f": nn.LayerNorm(channels, bias=False)})

    def forward(self, tokens):
        t = self.transformer
        x = t.wte(tokens) + t.wpe(torch.arange(tokens.shape[1], device=tokens.device))
        for layer in t.h:
            x = layer(x)
        return F.linear(t.ln_f(x), t.wte.weight)


def count(model, example, backward):
    with FlopCounterMode(display=False) as counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        outputs = model(example)
        if backward:
            outputs.sum().backward()
    return counter.get_total_flops()


def make(file, model, inputs, targets, metadata):
    forward, both = (count(model, inputs[:2], backward) // 2 for backward in (False, True))
    model.zero_grad(set_to_none=True)
    away_from_initial_values(model)
    tensors = {f"before.{k}": v.clone() for k, v in model.state_dict().items()}
    tensors.update(inputs=inputs, targets=targets, eval_outputs=model.eval()(inputs).detach().contiguous())
    outputs = model.train()(inputs)
    classes_second = outputs if outputs.dim() == 4 else outputs.transpose(1, 2)
    F.cross_entropy(classes_second, targets).backward()
    tensors["train_outputs"] = outputs.detach().contiguous()
    tensors.update({f"gradient.{k}": p.grad for k, p in model.named_parameters()})
    tensors.update({f"after.{k}": b for k, b in model.named_buffers()})
    metadata.update(name=file, forward=forward, both=both)
    save_file(tensors, Path(__file__).with_name(f"{file}.safetensors"),
              metadata={key: str(value) for key, value in metadata.items()})


torch.manual_seed(1)
# 20 x 37 is padded to 32 x 48.
make("unet", Unet(2, 5), torch.randn(2, 3, 20, 37), torch.randint(5, (2, 20, 37)),
     {"width": 2 / 64, "classes": 5, "in_channels": 3, "image_height": 20, "image_size": 37, "context": 1})
make("gpt", Gpt(13, 10, 16), torch.randint(13, (3, 10)), torch.randint(13, (3, 10)),
     {"width": 4 / 32, "classes": 13, "in_channels": 1, "image_height": 0, "image_size": 1, "context": 10})
