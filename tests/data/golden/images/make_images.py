"""Makes the files beside photo.jpg, and what Pillow 9.4 and torchvision 0.14 make of them.

    python3 tests/data/golden/images/make_images.py

odd/        small images of every kind; odd/expected/NAME.png: the same through Pillow's convert("RGB")
crops.csv   kind,left,top,width,height,size: torchvision's resized_crop of photo.jpg ("crop"), or Resize(left) and
            CenterCrop(size) ("centre"); crops/LINE.png: the result
"""
import pathlib, shutil, struct, zlib
import numpy as np
from PIL import Image
import torchvision.transforms as T
import torchvision.transforms.functional as F

here = pathlib.Path(__file__).parent
photo = Image.open(here / "photo.jpg").convert("RGB")
small = photo.resize((61, 41), Image.BICUBIC, box=(100, 60, 405, 265))  # no multiple of 8 or 16

odd = here / "odd"
shutil.rmtree(odd, ignore_errors=True)
(odd / "expected").mkdir(parents=True)


def png16(name, pixels, colour_type):
    """16 bits a channel, which Pillow does not write."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + pixels[y].astype(">u2").tobytes() for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    (odd / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


for name, options in {"420.jpg": dict(subsampling=2), "422.jpg": dict(subsampling=1), "444.jpg": dict(subsampling=0),
                      "progressive.jpg": dict(progressive=True)}.items():
    small.save(odd / name, quality=85, **options)
small.convert("L").save(odd / "grey.jpg", quality=85)
ink = 255 - np.asarray(small).astype(int)
black = ink.min(axis=2, keepdims=True) // 2  # half of the grey part printed in black
ink = np.concatenate([(ink - black) * 255 // np.maximum(255 - black, 1), black], axis=2).clip(0, 255)
Image.fromarray(ink.astype(np.uint8), "CMYK").save(odd / "cmyk.jpg", quality=85)
exif = Image.Exif()
for orientation in range(2, 9):
    exif[0x0112] = orientation
    small.save(odd / f"turned{orientation}.jpg", quality=85, exif=exif.tobytes())
small.save(odd / "rgb.png", optimize=True)
small.convert("P", palette=Image.ADAPTIVE, colors=64).save(odd / "palette.png", optimize=True, transparency=3)
small.convert("L").save(odd / "grey.png", optimize=True)
small.convert("1").save(odd / "bits.png", optimize=True)
rgba = small.copy()
rgba.putalpha(small.convert("L"))
rgba.save(odd / "rgba.png", optimize=True)
rgba.convert("LA").save(odd / "la.png", optimize=True)
fine = np.asarray(small).astype(np.uint16) * 257 - 20 * (np.asarray(small) > 0)
png16("rgb16.png", fine, 2)
png16("grey16.png", fine[..., :1], 0)
for file in sorted(odd.glob("*.*")):
    if file.name == "grey16.png":  # Pillow cuts off at 255, so nearly all of it is white; the high byte is meant
        expected = Image.fromarray((fine[..., 0] >> 8).astype(np.uint8)).convert("RGB")
    else:
        expected = Image.open(file).convert("RGB")
        expected.info.pop("transparency", None)  # a colour of the palette, which would be written again
    if not file.name.startswith("turned"):
        expected.save(odd / "expected" / (file.name + ".png"), optimize=True)
# Turned photographs are not turned by torchvision's loader, and are by Pillow's exif_transpose.
from PIL import ImageOps
for orientation in range(2, 9):
    turned = ImageOps.exif_transpose(Image.open(odd / f"turned{orientation}.jpg"))
    turned.convert("RGB").save(odd / "expected" / f"turned{orientation}.jpg.png", optimize=True)

crops = here / "crops"
shutil.rmtree(crops, ignore_errors=True)
crops.mkdir()
lines = ["centre,256,0,0,0,224", "centre,73,0,0,0,64", "crop,0,0,512,600,64", "crop,121,35,232,202,64",
         "crop,3,98,504,442,64", "crop,87,11,382,489,64", "crop,401,501,57,49,64", "crop,155,203,223,183,96"]
(here / "crops.csv").write_text("kind,left,top,width,height,size\n" + "\n".join(lines) + "\n")
for number, line in enumerate(lines):
    kind, *numbers = line.split(",")
    left, top, width, height, size = map(int, numbers)
    result = T.CenterCrop(size)(T.Resize(left)(photo)) if kind == "centre" else F.resized_crop(photo, top, left, height, width, (size, size))
    result.save(crops / f"{number}.png", optimize=True)
