#!/usr/bin/env python3
"""Makes class folders of JPEGs of ImageNet's usual size out of large photographs.

    python3 bench/python/make_photos.py --out /tmp/photos [--per-photo 24] FOLDER...

The photographs are those of Debian's packages lomiri-wallpapers-16.04, lomiri-wallpapers-20.04 and mate-backgrounds:
    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds
    for p in *.deb; do dpkg -x $p photos; done
in photos/usr/share/backgrounds, without mate/abstract and mate/desktop, which are drawings: give as FOLDERs that folder
and its mate/nature. Only JPEGs of at least 1,000 pixels a side are taken. A
class is a photograph: its images are random parts of it, at least a quarter of its area, of shape 4:3 or 3:4, reduced
to 500 x 375 pixels and written with a quality that gives about the bytes of an ImageNet image (110 KB). A fifth of them
goes to val/. Needs Pillow.
"""
import argparse
import random
from pathlib import Path

from PIL import Image


def part(photo, rng):
    width, height = (500, 375) if rng.random() < 0.75 else (375, 500)
    most = min(photo.width / width, photo.height / height)  # the largest part of this shape
    scale = most * rng.uniform(0.6, 1.0)
    w, h = int(width * scale), int(height * scale)
    left, top = rng.randint(0, photo.width - w), rng.randint(0, photo.height - h)
    return photo.resize((width, height), Image.LANCZOS, box=(left, top, left + w, top + h))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--out", required=True)
    parser.add_argument("--per-photo", type=int, default=24)
    parser.add_argument("--quality", type=int, default=98)
    args = parser.parse_args()
    rng = random.Random(0)
    photos = {}
    for folder in args.folders:
        for path in sorted(Path(folder).glob("*.jp*g")):
            photos.setdefault(path.stem.split("_by_")[0], path)
    sizes, classes = [], 0
    for name, path in sorted(photos.items()):
        photo = Image.open(path).convert("RGB")
        if min(photo.size) < 1000:
            continue
        photo.thumbnail((2400, 2400))
        classes += 1
        for i in range(args.per_photo):
            split = "val" if i % 5 == 4 else "train"
            target = Path(args.out) / split / name / f"{i:03}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            part(photo, rng).save(target, quality=args.quality)
            sizes.append(target.stat().st_size)
    print(f"{len(sizes)} images of {classes} photographs, {sum(sizes) / len(sizes) / 1000:.0f} KB in the mean")


if __name__ == "__main__":
    main()
