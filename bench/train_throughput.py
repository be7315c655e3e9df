#!/usr/bin/env python3
"""Images per second of `glidepath train` against PyTorch's Python, in turn, in one run; prints the ratios.

    python3 bench/train_throughput.py --program build/release/src/cli/glidepath [--data-dir DIR] [--python /usr/bin/python3]

Both train the same network on CIFAR-10 with batch 128, random crop and flip, SGD with Nesterov momentum, in
channels_last and bf16 autocast; both times are of the whole loop, data and augmentation included, without the first
three updates. Contestants alternate (A B A B ...), so that a machine that slows down slows both. Needs a Python with
torch (Debian: python3-torch).
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
#        model      width  updates (ours and theirs)
CASES = {"cpu": [("resnet18", 1.0, 8), ("resnet18", 0.25, 60), ("resnet20", 1.0, 60), ("resnet8", 1.0, 150), ("resnet8", 0.5, 200)],
         "cuda": [("resnet18", 1.0, 600), ("resnet18", 0.25, 600)]}


def cifar10_folder(data_dir):
    """The folder with CIFAR-10's files, found where the program finds it."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "glidepath", "data")
    roots = [data_dir] if data_dir else [root for root in (os.environ.get("GLIDEPATH_DATA"), cache) if root]
    for root in roots:
        for folder in (os.path.join(root, "cifar-10-batches-bin"), root):
            if os.path.isfile(os.path.join(folder, "data_batch_1.bin")):
                return folder
    sys.exit(f"train_throughput.py: no data_batch_1.bin of CIFAR-10 in {' or '.join(roots)}; get it with "
             f"\"glidepath data fetch cifar10\", or name its folder by --data-dir or GLIDEPATH_DATA")


def run(command):
    """What a program prints; where it fails, its own last words instead of ours."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {os.path.basename(command[0])} failed (exit status {result.returncode}): "
                 f"{(result.stderr.strip().splitlines() or ['no message'])[-1]}")
    return result.stdout


def ours(args, model, width, updates):
    command = [args.program, "train", "--data", "cifar10", "--data-dir", args.data_dir, "--model", model,
               "--width", str(width), "--budget", f"{updates + 3}it", "--full", "200ep", "--eval-every", "end", "--test-limit", "250",
               "--threads", str(args.threads), "--precision", args.precision, "--conv", args.conv, "--device", args.device, "--json"]
    if args.device == "cuda":
        command += ["--deterministic", "false"]  # as PyTorch's: cuDNN tries its kernels
    result = json.loads(run(command))
    return result["images_per_second"], result["peak_memory_mib"]


def theirs(args, model, width, updates):
    command = [args.python, os.path.join(HERE, "python", "resnet_train.py"), "--data-dir", args.data_dir,
               "--model", model, "--width", str(width), "--updates", str(updates), "--threads", str(args.threads),
               "--precision", args.precision, "--device", args.device] + (["--compile"] if args.compile else [])
    return float(run(command))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data-dir", help="as the program's: folder of data sets, or of CIFAR-10's files")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--conv", default="auto", choices=["auto", "library", "winograd"], help="ours")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--compile", action="store_true", help="PyTorch's with torch.compile")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", help="for example resnet18:0.25")
    args = parser.parse_args()
    args.data_dir = cifar10_folder(args.data_dir)
    version = run([args.python, "-c", "import torch; print(torch.__version__)"]).strip()
    where = platform.processor() or platform.machine()
    if args.device == "cuda":
        where = run([args.python, "-c", "import torch; print(torch.cuda.get_device_name())"]).strip()
    print(f"{where}, {args.threads} thread(s), {args.precision}, {args.repeats} pairs; PyTorch {version}"
          f"{', compiled' if args.compile else ''}")
    print("| network | width | glidepath img/s | PyTorch img/s | ratio: median (min to max) | memory MiB |")
    print("|---|---|---|---|---|---|")
    for model, width, updates in CASES[args.device]:
        if args.only and args.only != f"{model}:{width:g}":
            continue
        rates, peers, ratios, memory = [], [], [], 0
        for _ in range(args.repeats):
            rate, memory = ours(args, model, width, updates)
            peer = theirs(args, model, width, updates)
            rates.append(rate)
            peers.append(peer)
            ratios.append(rate / peer)
        print(f"| {model} | {width:g} | {statistics.median(rates):.0f} | {statistics.median(peers):.0f} | "
              f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
