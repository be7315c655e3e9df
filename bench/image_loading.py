#!/usr/bin/env python3
"""Images per second of Glidepath's loader against torchvision's, in turn, in one run; prints the ratios.

    python3 bench/python/make_photos.py --out /tmp/photos FOLDER...        (its help says which photographs)
    ninja -C build/release glidepath image_loader
    python3 bench/image_loading.py --photos /tmp/photos [--python PYTHON] [--repeats 5]

Both decode, take a random-resized crop of 224, flip and normalise to float32, in batches of 64, with two workers:
torchvision's DataLoader over ImageFolder with two processes, Glidepath's with two threads. Glidepath reads the same
folder, and packs of it that `glidepath data pack` makes first. All files are in memory after a first epoch, so this is
the processor's part; contestants alternate (A B C D A B C D ...). Needs a Python with torch and torchvision.
"""
import argparse
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKS = [("pack, JPEG, shorter side 256", ["--resize", "256"]),
         ("pack, RGB, shorter side 256", ["--resize", "256", "--format", "rgb"])]


def rate(command):
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def megabytes(path):
    if os.path.isfile(path):
        return os.path.getsize(path) / 1e6
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder with train/ and val/")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    tail = [str(args.seconds), str(args.workers)]
    ours = os.path.join(args.build, "bench", "image_loader")
    contestants = [("torchvision, folder", args.photos,
                    [args.python, os.path.join(HERE, "python", "torch_loader.py"), args.photos, *tail]),
                   ("Glidepath, folder", args.photos, [ours, args.photos, *tail])]
    for i, (name, options) in enumerate(PACKS):
        pack = f"{args.photos.rstrip('/')}-{i}.gpk"
        subprocess.run([os.path.join(args.build, "src", "cli", "glidepath"), "data", "pack",
                        "imagefolder:" + args.photos, "--out", pack, "--quiet", *options], check=True)
        contestants.append(("Glidepath, " + name, pack, [ours, pack, *tail]))
    version = subprocess.run([args.python, "-c", "import torch, torchvision; print(torch.__version__, torchvision.__version__)"],
                             check=True, capture_output=True, text=True).stdout.split()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {args.workers} workers, {args.repeats} "
          f"rounds of {args.seconds:g} s; PyTorch {version[0]}, torchvision {version[1]}", flush=True)
    rates = {name: [] for name, _, _ in contestants}
    for _ in range(args.repeats):
        for name, _, command in contestants:
            rates[name].append(rate(command))
    print("| images | MB | images/s: median (min to max) | times torchvision: median (min to max) |")
    print("|---|---:|---:|---:|")
    peer = rates[contestants[0][0]]
    for name, path, _ in contestants:
        ratios = [mine / theirs for mine, theirs in zip(rates[name], peer)]
        print(f"| {name} | {megabytes(path):.0f} | {statistics.median(rates[name]):.0f} ({min(rates[name]):.0f} to "
              f"{max(rates[name]):.0f}) | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |")


if __name__ == "__main__":
    main()
