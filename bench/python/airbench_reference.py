#!/usr/bin/env python3
"""cifar10-airbench's own program on a CPU, to set beside recipes/cifar10-*.toml.

    git clone https://github.com/KellerJordan/cifar10-airbench
    python3 airbench_reference.py cifar10-airbench/airbench94_muon.py --data-dir DIR [--epochs 8 | --seconds 300]

Runs the file's main() (made for commit f1c599c, airbench94_muon.py, arXiv 2404.00498) with what a CPU needs changed: weights and
images in float32 under bf16 autocast in place of fp16, foreach in place of fused SGD, no compilation, a clock in place of CUDA's
events, and CIFAR-10 from its binary files. --seconds stretches its eight epochs, rates and all, to what this machine does in that
time. Prints one line of JSON: test accuracies in percent with and without its test-time augmentation, seconds by its own clock
(training, and the last test) and of everything. Needs a Python with torch (Debian: python3-torch).
"""
import argparse
import json
import math
import os
import pathlib
import sys
import tempfile
import time

import torch

from resnet_train import load_cifar10

EPOCHS, FREEZE_EPOCHS = 8, 3  # the reference's; its first layer's bias is trained for the latter
CHANGES = [
    ("with open(sys.argv[0]) as f:\n    code = f.read()\n", ""),
    ("import torchvision.transforms as T", ""),
    ("import torchvision", ""),
    ("@torch.compile\n", ""),
    ("X = G.bfloat16()", "X = G.float()"),
    ('torch.device("cuda")', 'torch.device("cpu")'),
    ("self.images.half()", "self.images.float()"),
    ("mod.half()", "mod.float()"),
    ("fused=True", "foreach=True"),
]


class Clock:
    """What main() asks of a CUDA event."""

    def __init__(self, enable_timing):
        del enable_timing
        self.now = 0.0

    def record(self):
        self.now = time.perf_counter()

    def elapsed_time(self, end):
        return 1000 * (end.now - self.now)


class Transforms:
    class Normalize:
        def __init__(self, mean, std):
            self.mean, self.std = mean.view(1, 3, 1, 1), std.view(1, 3, 1, 1)

        def __call__(self, images):
            return (images - self.mean) / self.std


def reference_of(file, changes):
    source = pathlib.Path(file).read_text()
    for old, new in changes:
        if old not in source:
            sys.exit(f"airbench_reference.py: {file}: has no {old!r}; this was made for commit f1c599c of cifar10-airbench")
        source = source.replace(old, new)
    reference = {"__name__": "reference", "T": Transforms}
    exec(compile(source, file, "exec"), reference)  # the user's own file
    return reference


def write_data(folder, data_dir):
    for name, files in (("train", [f"data_batch_{i}.bin" for i in range(1, 6)]), ("test", ["test_batch.bin"])):
        images, labels = load_cifar10(data_dir, files)
        torch.save({"images": images.permute(0, 2, 3, 1).contiguous(), "labels": labels, "classes": []}, folder / f"{name}.pt")


def changes_for(arguments, epochs):
    widths = [round(channels * arguments.width) for channels in (64, 256, 256)]
    return CHANGES + [
        ("block1=64, block2=256, block3=256", "block1={}, block2={}, block3={}".format(*widths)),
        ("batch_size = 2000\n", f"batch_size = {arguments.batch}\n"),
        ("ceil(8 * len(train_loader))", f"ceil({epochs} * len(train_loader))"),
        ("ceil(3 * len(train_loader))", f"ceil({epochs * FREEZE_EPOCHS / EPOCHS} * len(train_loader))"),
    ]


def run(arguments, epochs):
    """What its logging knows at the end: accuracies and its own seconds."""
    reference = reference_of(arguments.file, changes_for(arguments, epochs))
    seen = {}

    def print_training_details(variables, is_final_entry):
        del is_final_entry
        seen.update({key: variables[key] for key in ("val_acc", "tta_val_acc", "time_seconds") if key in variables})

    reference["print_training_details"] = print_training_details
    torch.manual_seed(arguments.seed)
    model = reference["CifarNet"]().to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        reference["main"](1, model)
    return seen


def epochs_in(arguments):
    """How many the time has: by two short runs, whose difference is training alone."""
    short, longer = run(arguments, 0.1), run(arguments, 0.3)
    epoch = (longer["time_seconds"] - short["time_seconds"]) / (math.ceil(0.3 * 50000 / arguments.batch)
                                                               - math.ceil(0.1 * 50000 / arguments.batch))
    epoch *= 50000 // arguments.batch
    rest = short["time_seconds"] - 0.1 * epoch  # whitening, and the last test
    return max(0.1, (arguments.seconds - rest) / epoch)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="airbench94_muon.py")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    parser.add_argument("--seconds", type=float, help="by its own clock, in place of --epochs")
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--batch", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.cuda.Event, torch.cuda.synchronize = Clock, lambda: None
    arguments.data_dir, arguments.file = os.path.abspath(arguments.data_dir), os.path.abspath(arguments.file)
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "cifar10").mkdir()
        write_data(pathlib.Path(folder) / "cifar10", arguments.data_dir)
        os.chdir(folder)
        epochs = epochs_in(arguments) if arguments.seconds else arguments.epochs
        start = time.perf_counter()
        seen = run(arguments, epochs)
        os.chdir("/")
    print(json.dumps({"epochs": round(epochs, 3), "tta_test_accuracy": round(100 * seen["tta_val_acc"], 2),
                      "test_accuracy": round(100 * seen["val_acc"], 2), "seconds": round(seen["time_seconds"], 1),
                      "whole_seconds": round(time.perf_counter() - start, 1), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
