# Makes trivial.safetensors beside it: every operator of torchvision's TrivialAugmentWide at some magnitudes, on a smooth
# picture with noise, in colour and in grey. Names are OPERATOR/MAGNITUDE. Run: python3 make_trivial.py
from pathlib import Path

import torch
from safetensors.torch import save_file
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import _apply_op

torch.manual_seed(3)
y, x = torch.meshgrid(torch.arange(17.0), torch.arange(20.0), indexing="ij")
smooth = torch.stack([40 + 9 * x, 30 + 10 * y, 60 + 4 * (x + y)])
rgb = (smooth + 12 * torch.randn(3, 17, 20)).clamp(0, 255).to(torch.uint8)
tensors = {"rgb": rgb, "grey": rgb[:1].clone()}
magnitudes = {
    "Identity": [0], "ShearX": [0.33, -0.99], "ShearY": [0.231, -0.66], "TranslateX": [7.46, -3.2],
    "TranslateY": [12.8, -1.06], "Rotate": [31.5, -135, 9], "Brightness": [0.5, -0.99, 0.99], "Color": [0.5, -0.66],
    "Contrast": [0.495, -0.99], "Sharpness": [0.99, -0.33], "Posterize": [2, 8, 5], "Solarize": [255, 100.3, 0],
    "AutoContrast": [0], "Equalize": [0],
}
for name, values in magnitudes.items():
    for value in values:
        for kind in ("rgb", "grey"):
            tensors[f"{kind}/{name}/{value}"] = _apply_op(tensors[kind], name, value, InterpolationMode.NEAREST, None).clone()
flat = torch.full((3, 17, 20), 77, dtype=torch.uint8)
for name in ("AutoContrast", "Equalize"):
    tensors[f"flat/{name}/0"] = _apply_op(flat, name, 0, InterpolationMode.NEAREST, None).clone()
tensors["flat"] = flat
save_file(tensors, Path(__file__).with_name("trivial.safetensors"))
