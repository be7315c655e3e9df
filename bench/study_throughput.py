#!/usr/bin/env python3
"""A study of 12 runs by `glidepath study` against the same 12 by PyTorch's Python, one after another with all cores.

    python3 bench/study_throughput.py --program build/release/src/cli/glidepath [--data-dir DIR] [--python /usr/bin/python3]

CIFAR-10, 12 seeds of one network, batch 128, linear to zero, crop and flip, channels_last and bf16 autocast, the test set at
the end. Both times are from the start of the first process to the end of the last: start-up, data, training and test. What a
user does without a tool is a loop over a script; what the study does is one run a core. The two alternate, so that a
machine that slows down slows both. Needs a Python with torch (Debian: python3-torch).
"""
import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from train_throughput import cifar10_folder, run  # noqa: E402

CASES = [("resnet8", 1.0), ("resnet8", 0.5), ("resnet20", 1.0)]
RUNS = 12
STUDY = """name = "throughput"
[base]
data = "cifar10"
model = "{model}"
width = {width}
schedule = "linear"
budget = "{updates}it"
full = "{updates}it"
bn_estimate = "off"
eval_every = "end"
precision = "{precision}"
[grid]
seed = {seeds}
"""


def timed(commands):
    start = time.perf_counter()
    for command in commands:
        run(command)
    return time.perf_counter() - start


def ours(args, model, width):
    folder = tempfile.mkdtemp()
    try:
        file = os.path.join(folder, "study.toml")
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(STUDY.format(model=model, width=width, updates=args.updates, precision=args.precision,
                                      seeds=list(range(RUNS))))
        return timed([[args.program, "study", file, "--set", f"data_dir={args.data_dir}", "--quiet", "--out",
                       os.path.join(folder, "out")]])
    finally:
        shutil.rmtree(folder)


def theirs(args, model, width):
    return timed([[args.python, os.path.join(HERE, "python", "resnet_train.py"), "--data-dir", args.data_dir, "--model", model,
                   "--width", str(width), "--updates", str(args.updates), "--warmup", "0", "--seed", str(seed), "--test",
                   "--threads", str(os.cpu_count()), "--precision", args.precision] for seed in range(RUNS)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data-dir", help="as the program's: folder of data sets, or of CIFAR-10's files")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", help="for example resnet8:0.5")
    args = parser.parse_args()
    args.data_dir = cifar10_folder(args.data_dir)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {args.precision}, {RUNS} runs of "
          f"{args.updates} updates, {args.repeats} pairs")
    print("| network | width | glidepath study, s | PyTorch, one after another, s | ratio: median (min to max) |")
    print("|---|---|---|---|---|")
    for model, width in CASES:
        if args.only and args.only != f"{model}:{width:g}":
            continue
        pairs = [(ours(args, model, width), theirs(args, model, width)) for _ in range(args.repeats)]
        ratios = [peer / own for own, peer in pairs]
        own, peer = (statistics.median(column) for column in zip(*pairs))
        print(f"| {model} | {width:g} | {own:.0f} | {peer:.0f} | "
              f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |", flush=True)


if __name__ == "__main__":
    main()
