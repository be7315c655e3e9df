# Makes masks/: masks as Pillow writes them, whose label at (x, y) is (3 x + 5 y) mod n, and some that are no masks; a
# picture and its mask; and crops.csv with crops.npy: what Pillow makes of both, scaled (the picture bilinear, the mask
# nearest), cut and mirrored, red, green, blue and label; black and 255 beyond the edge. Run: python3 make_masks.py
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

folder = Path(__file__).parent / "masks"
folder.mkdir(exist_ok=True)
random = np.random.default_rng(7)


def labels(n, height=9, width=13):
    y, x = np.mgrid[:height, :width]
    return ((3 * x + 5 * y) % n).astype(np.uint8)


palette = random.integers(0, 256, 768).tolist()
for name, n, options in (("palette8", 200, {}), ("palette4", 16, {"bits": 4}), ("palette2", 4, {"bits": 2}),
                         ("palette1", 2, {"bits": 1})):
    mask = Image.fromarray(labels(n), "P")
    mask.putpalette(palette)
    mask.save(folder / f"{name}.png", **options)
Image.fromarray(labels(256), "L").save(folder / "grey8.png")
Image.fromarray(labels(2) == 1).save(folder / "grey1.png")
see_through = Image.fromarray(labels(200), "P")
see_through.putpalette(palette)
see_through.save(folder / "transparent.png", transparency=3)
Image.fromarray(np.stack([labels(9)] * 3, 2)).save(folder / "colour.png")
Image.fromarray(np.stack([labels(9)] * 2, 2), "LA").save(folder / "alpha.png")
Image.fromarray(labels(9).astype(np.uint16)).save(folder / "deep.png")

picture = Image.fromarray(random.integers(0, 256, (23, 37, 3), np.uint8))
mask = Image.fromarray(random.integers(0, 7, (23, 37), np.uint8), "L")
picture.save(folder / "picture.png")
mask.save(folder / "picture-mask.png")
crops = []
with open(folder / "crops.csv", "w") as out:
    print("scaled_width,scaled_height,left,top,mirrored,width,height", file=out)
    for case in ((37, 23, 0, 0, 0, 37, 23), (37, 23, 3, 2, 1, 30, 20), (61, 38, 17, 9, 0, 30, 20),
                 (61, 38, 31, 18, 1, 30, 20), (19, 12, 0, 0, 0, 30, 20), (19, 12, 0, 0, 1, 30, 20),
                 (26, 16, 0, 0, 0, 20, 20), (74, 46, 40, 20, 0, 30, 20)):
        width, height, left, top, mirrored, to_width, to_height = case
        print(*case, sep=",", file=out)
        box = (left, top, min(width, left + to_width), min(height, top + to_height))
        both = np.zeros((to_height, to_width, 4), np.uint8)
        both[..., 3] = 255
        scaled = np.dstack([picture.resize((width, height), Image.BILINEAR).crop(box),
                            mask.resize((width, height), Image.NEAREST).crop(box)])
        both[: scaled.shape[0], : scaled.shape[1]] = scaled
        crops.append((both[:, ::-1] if mirrored else both).ravel())
np.save(folder / "crops.npy", np.concatenate(crops))
