# Makes airbench.safetensors: what the reference computes, airbench94_muon.py of github.com/KellerJordan/cifar10-airbench
# (commit f1c599c), narrowed and in float32 in place of half and bfloat16: logits, gradients and buffers as make_logits.py
# has them, its test over six views, its whitening filters (signs as ours: of the largest entry) and three updates of its
# Muon. Run: python3 make_airbench.py airbench94_muon.py
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import save_file

WIDTH, CLASSES, BATCH = 0.125, 10, 6
source = Path(sys.argv[1]).read_text()
for old, new in (("block1=64, block2=256, block3=256", "block1=8, block2=32, block3=32"), ("mod.half()", "mod.float()"),
                 ("G.bfloat16()", "G.float()"), ("@torch.compile", ""), ("import torchvision.transforms as T", ""),
                 ("import torchvision", "")):
    assert old in source, old
    source = source.replace(old, new)
reference = {"__name__": "reference"}
exec(compile(source, "airbench94_muon.py", "exec"), reference)

torch.manual_seed(1)
# Sums of noise along both sides: patches whose second moments have eigenvalues well apart, as those of pictures.
images = torch.randn(BATCH, 3, 32, 32).cumsum(2).cumsum(3) / 8
images = images * torch.tensor([1.0, 0.7, 0.4]).view(1, 3, 1, 1)
labels = torch.arange(BATCH) % CLASSES
model = reference["CifarNet"]()
model.reset()
model.init_whiten(images)
filters = model.whiten.weight.data[:12].flatten(1)
signs = filters.gather(1, filters.abs().argmax(1, keepdim=True)).sign()
tensors = {"whitening": (filters * signs).reshape(12, 3, 2, 2).clone()}

with torch.no_grad():
    for key, tensor in model.state_dict().items():
        if key.endswith("running_mean") or key.endswith("bias"):
            tensor.uniform_(-0.3, 0.3)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
tensors.update({f"before.{k}": v.clone() for k, v in model.state_dict().items()})
tensors.update(images=images, labels=labels, eval_logits=model.eval()(images).detach())
loader = SimpleNamespace(images=images, normalize=lambda x: x)
for level, name in ((1, "flip"), (2, "flip_shift")):
    tensors[f"logits_{name}"] = reference["infer"](model, loader, tta_level=level)
logits = model.train()(images)
torch.nn.functional.cross_entropy(logits, labels).backward()
tensors["train_logits"] = logits.detach()
tensors.update({f"gradient.{k}": p.grad for k, p in model.named_parameters() if p.requires_grad})
tensors.update({f"after.{k}": b for k, b in model.named_buffers()})

weight = torch.nn.Parameter(torch.randn(8, 4, 3, 3))
optimizer = reference["Muon"]([weight], lr=0.24, momentum=0.6, nesterov=True)
tensors["muon.before"] = weight.detach().clone()
for update in range(3):
    weight.grad = torch.randn(8, 4, 3, 3)
    tensors[f"muon.gradient{update}"] = weight.grad.clone()
    optimizer.step()
    tensors[f"muon.after{update}"] = weight.detach().clone()

save_file({k: v.contiguous() for k, v in tensors.items()}, Path(__file__).with_name("airbench.safetensors"),
          metadata={"name": "airbench", "width": str(WIDTH), "stem": "auto", "classes": str(CLASSES), "in_channels": "3",
                    "image_size": "32"})
