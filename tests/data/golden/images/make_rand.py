# Makes rand.safetensors beside it: what torchvision's RandAugment does with each of its operators, at its magnitudes 0, 9,
# 17 and 30 of 31, on the pictures of trivial.safetensors.
# Names are KIND/OPERATOR/MAGNITUDE/SIGN. Run: python3 make_rand.py
from pathlib import Path

from safetensors.torch import load_file, save_file
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms.autoaugment import _apply_op

pictures = load_file(Path(__file__).with_name("trivial.safetensors"))
tensors = {}
for kind in ("rgb", "grey"):
    picture = pictures[kind]
    for level in (0, 9, 17, 30):
        for name, (magnitudes, signed) in RandAugment()._augmentation_space(31, tuple(picture.shape[1:])).items():
            magnitude = float(magnitudes[level].item()) if magnitudes.ndim > 0 else 0.0
            for sign in (1, -1) if signed else (1,):
                changed = _apply_op(picture, name, sign * magnitude, InterpolationMode.NEAREST, None)
                tensors[f"{kind}/{name}/{level}/{sign}"] = changed.clone()
save_file(tensors, Path(__file__).with_name("rand.safetensors"))
