"""A torchvision detector trained under a budget, through its own losses, with glidepath.Glide.

    python3 examples/python/detect_raccoons.py --data raccoons --budget 20m --schedule linear --seed 1 --csv raccoons.csv

FCOS (Tian et al., ICCV 2019, arXiv 1904.01355) on a small ResNet without pretrained weights finds raccoons in the
photographs of https://github.com/datitran/raccoon_dataset. DIR has images/ and boxes.csv (image, xmin, ymin, xmax,
ymax in pixels, a row a box); every fifth image, by name, is held out. Printed, and appended to the CSV, are average
precision at IoU 0.5 on the held-out images, losses, and what was spent. Needs glidepath, torch, torchvision.
"""

import argparse
import csv
import pathlib
import random

SIDE = 160  # images are squares of this side, boxes with them
HELD_OUT = 5  # one in so many
COLUMNS = ("schedule", "budget", "base_lr", "seed", "updates", "epochs", "seconds", "train_loss", "test_loss", "ap50")


def iou(a, b):
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def average_precision(found, truths, threshold=0.5):
    """The area below precision against recall, precision at each recall being the best at that or a higher one
    (PASCAL VOC since 2010, Everingham et al., IJCV 111 (2015)). `found`: an image's list of (score, box) each; `truths`:
    its boxes. In the order of the scores, a find is right where the truth that it overlaps most does so by the
    threshold and is not found yet."""
    total = sum(len(boxes) for boxes in truths)
    if total == 0:
        raise ValueError("no box is there to be found")
    ordered = sorted(((score, i, box) for i, each in enumerate(found) for score, box in each), key=lambda one: -one[0])
    taken, right, points = set(), 0, []
    for count, (_, i, box) in enumerate(ordered, 1):
        overlaps = [iou(box, truth) for truth in truths[i]]
        best = max(range(len(overlaps)), key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] >= threshold and (i, best) not in taken:
            taken.add((i, best))
            right += 1
        points.append((right / total, right / count))
    area, recall, best_precision = 0.0, 1.0, 0.0
    for r, precision in reversed(points):
        area += (recall - r) * best_precision if r < recall else 0.0
        recall = min(recall, r)
        best_precision = max(best_precision, precision)
    return area + recall * best_precision


def read_set(folder):
    """Two lists of (image uint8 [3, SIDE, SIDE], boxes): to train on, and held out."""
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms.v2.functional import resize

    boxes = {}
    with open(folder / "boxes.csv", newline="") as file:
        for row in csv.DictReader(file):
            boxes.setdefault(row["image"], []).append([float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax")])
    parts = ([], [])
    for number, name in enumerate(sorted(boxes)):
        image = decode_image(str(folder / "images" / name), mode=ImageReadMode.RGB)
        across, down = SIDE / image.shape[2], SIDE / image.shape[1]
        scaled = [[x0 * across, y0 * down, x1 * across, y1 * down] for x0, y0, x1, y1 in boxes[name]]
        parts[number % HELD_OUT == 0].append((resize(image, [SIDE, SIDE], antialias=True), scaled))
    return parts


def make_detector():
    from torchvision.models.detection import FCOS
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.backbone_utils import BackboneWithFPN
    from torchvision.models.detection.fcos import FCOSHead
    from torchvision.models.resnet import BasicBlock, ResNet

    layers, channels = {"layer2": "0", "layer3": "1", "layer4": "2"}, 64
    body = ResNet(BasicBlock, [1, 1, 1, 1])
    # A coarser level would have no point in most boxes of such small images.
    backbone = BackboneWithFPN(body, layers, [128, 256, 512], channels, extra_blocks=_NoMore())
    anchors = AnchorGenerator(sizes=((8,), (16,), (32,)), aspect_ratios=((1.0,),) * 3)
    return FCOS(
        backbone,
        num_classes=2,  # nothing, and a raccoon
        anchor_generator=anchors,
        head=FCOSHead(channels, anchors.num_anchors_per_location()[0], 2, num_convs=2),
        min_size=SIDE,
        max_size=SIDE,
        detections_per_img=20,
    )


def _NoMore():
    from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

    class NoMore(ExtraFPNBlock):
        def forward(self, results, x, names):
            return results, names

    return NoMore()


def changed(image, boxes, rng):
    """Mirrored in half of all cases, and cut to a window of 60 to 100 % of each side that has the boxes' middles."""
    from torchvision.transforms.v2.functional import hflip, resized_crop

    if rng.random() < 0.5:
        image, boxes = hflip(image), [[SIDE - x1, y0, SIDE - x0, y1] for x0, y0, x1, y1 in boxes]
    width, height = (round(SIDE * rng.uniform(0.6, 1)) for _ in range(2))
    left, top = rng.randint(0, SIDE - width), rng.randint(0, SIDE - height)
    middles = [((b[0] + b[2]) / 2 - left, (b[1] + b[3]) / 2 - top) for b in boxes]
    if not all(0 < x < width and 0 < y < height for x, y in middles):
        return image, boxes
    image = resized_crop(image, top, left, height, width, [SIDE, SIDE], antialias=True)
    across, down = SIDE / width, SIDE / height

    def within(value):
        return min(max(value, 0.0), float(SIDE))

    return image, [
        [within((x0 - left) * across), within((y0 - top) * down), within((x1 - left) * across), within((y1 - top) * down)]
        for x0, y0, x1, y1 in boxes
    ]


def as_batch(examples):
    import torch

    images = [image.float() / 255 for image, _ in examples]
    return images, [{"boxes": torch.tensor(b), "labels": torch.ones(len(b), dtype=torch.int64)} for _, b in examples]


class Epochs:
    """Batches of the training images, in another order and changed otherwise in each pass."""

    def __init__(self, examples, size, seed):
        self.examples, self.size, self.rng = examples, size, random.Random(seed)

    def __len__(self):
        return -(-len(self.examples) // self.size)

    def __iter__(self):
        order = self.rng.sample(range(len(self.examples)), len(self.examples))
        for first in range(0, len(order), self.size):
            yield as_batch([changed(*self.examples[i], self.rng) for i in order[first : first + self.size]])


def tested(model, held_out):
    """Average precision, and the mean of the model's own loss."""
    import torch

    with torch.no_grad():
        model.eval()
        found = []
        for image, _ in held_out:
            (told,) = model([image.float() / 255])
            found.append(list(zip(told["scores"].tolist(), told["boxes"].tolist())))
        precision = average_precision(found, [boxes for _, boxes in held_out])
        model.train()  # for the losses alone
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        loss = sum(sum(model(*as_batch([one])).values()).item() for one in held_out) / len(held_out)
        model.train()
    return precision, loss


def train(options):
    import time

    import glidepath
    import torch

    started = time.monotonic()
    torch.manual_seed(options.seed)
    examples, held_out = read_set(options.data)
    model = make_detector()
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.base_lr, weight_decay=0.01)
    loader = Epochs(examples, options.batch_size, options.seed)
    glide = glidepath.Glide(options.budget, options.schedule, base_lr=options.base_lr, steps_per_epoch=len(loader))
    losses = []
    for images, targets in glide.batches(loader):
        for group in optimizer.param_groups:
            group["lr"] = glide.lr
        loss = sum(model(images, targets).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()
        glide.update()
        losses.append(loss.item())
        if len(losses) % (10 * len(loader)) == 0:
            mean = sum(losses[-len(loader) :]) / len(loader)
            print(f"epoch {len(losses) // len(loader)}: loss {mean:.3f}, {glide}", flush=True)
    spent = time.monotonic() - started
    precision, test_loss = tested(model, held_out)
    last = losses[-len(loader) :]
    return {
        "schedule": options.schedule,
        "budget": options.budget,
        "base_lr": options.base_lr,
        "seed": options.seed,
        "updates": len(losses),
        "epochs": round(len(losses) / len(loader), 2),
        "seconds": round(spent, 1),
        "train_loss": round(sum(last) / len(last), 4),
        "test_loss": round(test_loss, 4),
        "ap50": round(precision, 4),
    }


def append(file, row):
    is_new = not file.exists()
    with open(file, "a", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with images/ and boxes.csv")
    parser.add_argument("--budget", default="20m", help="20m, 100ep, 500it, ...")
    parser.add_argument("--schedule", default="linear", help="linear, cosine, step-d2, const, ...: docs/schedules.md")
    parser.add_argument("--base-lr", type=float, default=0.001)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", type=pathlib.Path, default=pathlib.Path("raccoons.csv"), help="a row is appended")
    options = parser.parse_args()
    row = train(options)
    append(options.csv, row)
    print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
