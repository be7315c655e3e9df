# Makes names.txt: every entry of the state dicts of torchvision's own resnet18, resnet34 and resnet50, in their order.
# Run: python3 make_names.py (torchvision 0.14 to 0.29 give the same)
from pathlib import Path

import torchvision

with open(Path(__file__).with_name("names.txt"), "w") as out:
    for name in ("resnet18", "resnet34", "resnet50"):
        for key, tensor in getattr(torchvision.models, name)(weights=None).state_dict().items():
            print(name, key, "x".join(map(str, tensor.shape)) or "scalar", file=out)
