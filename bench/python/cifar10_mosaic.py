#!/usr/bin/env python3
"""CIFAR-10 in 40 MB instead of 184, to be carried to a machine that reaches nothing: scripts/gpu-check.

    cifar10_mosaic.py pack FOLDER MOSAICS       FOLDER: data_batch_1.bin ... test_batch.bin
    cifar10_mosaic.py unpack MOSAICS FOLDER

The 50,000 training images become five JPEGs of 100 x 100 images each, quality 75, colours at full resolution; blocks of
8 x 8 pixels divide 32, so that no image runs into its neighbour. The test images stay as they are, compressed by xz.
Needs Pillow and NumPy.
"""
import argparse
import lzma
import os
import sys

import numpy as np
from PIL import Image

SIDE, PIXELS, RECORD = 100, 32, 3073
BATCHES = [f"data_batch_{i}.bin" for i in range(1, 6)]
TEST = "test_batch.bin"


def records(path):
    raw = np.fromfile(path, dtype=np.uint8)
    if raw.size != SIDE * SIDE * RECORD:
        sys.exit(f"cifar10_mosaic.py: {path}: {raw.size} bytes; must be {SIDE * SIDE * RECORD}, 10,000 images")
    return raw.reshape(-1, RECORD)


def pack(folder, mosaics):
    os.makedirs(mosaics, exist_ok=True)
    for name in BATCHES:
        raw = records(os.path.join(folder, name))
        images = raw[:, 1:].reshape(SIDE, SIDE, 3, PIXELS, PIXELS).transpose(0, 3, 1, 4, 2)
        picture = Image.fromarray(np.ascontiguousarray(images).reshape(SIDE * PIXELS, SIDE * PIXELS, 3))
        picture.save(os.path.join(mosaics, name + ".jpg"), quality=75, subsampling=0, optimize=True)
        raw[:, 0].tofile(os.path.join(mosaics, name + ".labels"))
    with open(os.path.join(folder, TEST), "rb") as test, lzma.open(os.path.join(mosaics, TEST + ".xz"), "wb") as out:
        out.write(test.read())


def unpack(mosaics, folder):
    os.makedirs(folder, exist_ok=True)
    for name in BATCHES:
        picture = np.asarray(Image.open(os.path.join(mosaics, name + ".jpg")).convert("RGB"))
        images = picture.reshape(SIDE, PIXELS, SIDE, PIXELS, 3).transpose(0, 2, 4, 1, 3).reshape(SIDE * SIDE, -1)
        labels = np.fromfile(os.path.join(mosaics, name + ".labels"), dtype=np.uint8)
        np.concatenate([labels[:, None], images], axis=1).tofile(os.path.join(folder, name))
    with lzma.open(os.path.join(mosaics, TEST + ".xz")) as test, open(os.path.join(folder, TEST), "wb") as out:
        out.write(test.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["pack", "unpack"])
    parser.add_argument("source")
    parser.add_argument("destination")
    args = parser.parse_args()
    (pack if args.verb == "pack" else unpack)(args.source, args.destination)


if __name__ == "__main__":
    main()
