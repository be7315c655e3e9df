"""Makes kinds/: one small picture as TIFF, WebP, BMP, PBM, PGM and PPM of every kind, and what Pillow 9.4 (libtiff 4.5,
libwebp 1.2.4) makes of it; and turned/: photographs that say which way up they are, in every way that is in use.

    python3 tests/data/golden/images/make_kinds.py

kinds/expected/NAME.png   distinct pictures, through Pillow's convert("RGB")
kinds/expected.csv        file,picture
turned/expected.csv       file,orientation: 1 to 8, as Pillow's ImageOps.exif_transpose turns it
"""
import pathlib, shutil, struct, zlib
import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

here = pathlib.Path(__file__).parent
photo = Image.open(here / "photo.jpg").convert("RGB")
small = photo.resize((29, 19), Image.BICUBIC, box=(100, 60, 390, 250))  # rows are no whole number of bytes or words
W, H = small.size
colours = np.asarray(small)
grey = np.asarray(small.convert("L"))

kinds = here / "kinds"
shutil.rmtree(kinds, ignore_errors=True)
(kinds / "expected").mkdir(parents=True)
written = []  # file, the pixels that are meant where these are not Pillow's


def keep(name, data=None, expected=None):
    if data is not None:
        (kinds / name).write_bytes(data)
    written.append((name, expected))


def save(name, image, expected=None, **options):
    image.save(kinds / name, **options)
    keep(name, expected=expected)


# What Pillow writes.
rgba = small.copy()
rgba.putalpha(small.convert("L"))
palette = small.convert("P", palette=Image.ADAPTIVE, colors=64)
modes = {"1": small.convert("1"), "L": small.convert("L"), "P": palette, "LA": rgba.convert("LA"), "RGB": small,
         "RGBA": rgba, "CMYK": small.convert("CMYK"), "I": small.convert("I"), "F": small.convert("F")}
for mode, image in modes.items():
    save(f"{mode}.tif", image)
for compression in ("group3", "group4", "tiff_ccitt"):
    save(f"1-{compression}.tif", modes["1"], compression=compression)
for compression in ("packbits", "tiff_lzw", "tiff_adobe_deflate", "lzma", "zstd", "webp", "jpeg"):
    save(f"RGB-{compression}.tif", small, compression=compression)
save("YCbCr-lzw.tif", small.convert("YCbCr"), compression="tiff_lzw")
save("CMYK-jpeg.tif", modes["CMYK"], compression="jpeg")
save("pages.tif", small, save_all=True, append_images=[photo.resize((40, 40))])
for orientation in range(2, 9):
    save(f"turned{orientation}.tif", small, compression="tiff_lzw", tiffinfo={274: orientation})
for mode in ("1", "L", "P", "RGB", "RGBA"):
    save(f"{mode}.bmp", modes[mode])
for mode, name in (("1", "raw.pbm"), ("L", "raw.pgm"), ("RGB", "raw.ppm")):
    save(name, modes[mode], format="PPM")
save("lossy.webp", small, quality=80)
save("lossy-alpha.webp", rgba, quality=70)
save("lossless.webp", small, lossless=True)
save("lossless-alpha.webp", rgba, lossless=True, exact=True)
save("animated.webp", small, save_all=True, append_images=[small.rotate(180), small], duration=10, lossless=True)


# What it does not write: other byte orders, planes, tiles, depths.
def tiff(name, order, photometric, bits, samples, blocks, expected=None, **tags):
    sign = "<" if order == "II" else ">"
    entries = {256: (3, [W]), 257: (3, [H]), 258: (3, [bits] * samples), 259: (3, [1]), 262: (3, [photometric]), 277: (3, [samples])}
    offsets, counts = (324, 325) if 322 in tags.get("more", {}) else (273, 279)
    entries.update({offsets: (4, blocks), counts: (4, [len(block) for block in blocks])})
    if offsets == 273:
        entries[278] = (3, [H])
    entries.update({tag: (3, values) for tag, values in tags.get("more", {}).items()})
    size, letter = {3: 2, 4: 4}, {3: "H", 4: "I"}
    base = 8 + 2 + 12 * len(entries) + 4
    behind = sum(size[kind] * len(values) for kind, values in entries.values() if size[kind] * len(values) > 4)
    places, at = [], base + behind
    for block in blocks:
        places.append(at)
        at += len(block)
    directory, values_behind = b"", b""
    for tag in sorted(entries):
        kind, values = entries[tag]
        raw = struct.pack(f"{sign}{len(values)}{letter[kind]}", *(places if tag == offsets else values))
        field = raw.ljust(4, b"\0")
        if len(raw) > 4:
            field = struct.pack(sign + "I", base + len(values_behind))
            values_behind += raw
        directory += struct.pack(sign + "HHI", tag, kind, len(values)) + field
    header = (b"II*\0" if order == "II" else b"MM\0*") + struct.pack(sign + "I", 8)
    keep(name, header + struct.pack(sign + "H", len(entries)) + directory + struct.pack(sign + "I", 0) + values_behind
         + b"".join(blocks), expected)


def tiles(array, width=32, height=16):
    blocks = []
    for y in range(0, H, height):
        for x in range(0, W, width):
            tile = np.zeros((height, width) + array.shape[2:], array.dtype)
            part = array[y:y + height, x:x + width]
            tile[:part.shape[0], :part.shape[1]] = part
            blocks.append(zlib.compress(tile.tobytes(), 9))
    return blocks


def bits_of(values, bits):
    """Rows of so many bits a pixel, the first in the highest ones, each row begun at a byte."""
    rows = ("".join(f"{int(value):0{bits}b}" for value in row).ljust((W * bits + 7) // 8 * 8, "0") for row in values)
    return b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in rows)


reversed_bits = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
fine = (colours.astype(np.uint32) * 257 - 20 * (colours > 0)).astype(np.uint16)
multiplied = np.dstack([colours.astype(int) * grey[..., None] // 255, grey]).astype(np.uint8)
ink = np.asarray(modes["CMYK"])
random = np.random.RandomState(0)
deflated, separate = {259: [8]}, {259: [8], 284: [2]}
for order in ("II", "MM"):
    sign = "<" if order == "II" else ">"
    raw = lambda array, kind: np.ascontiguousarray(array).astype(sign + kind).tobytes()
    tiff(f"rgb16-{order}.tif", order, 2, 16, 3, [raw(fine, "u2")])
    tiff(f"rgb16-deflated-{order}.tif", order, 2, 16, 3, [zlib.compress(raw(fine, "u2"), 9)], more=deflated)
    tiff(f"planes-{order}.tif", order, 2, 8, 3, [zlib.compress(raw(colours[..., i], "u1"), 9) for i in range(3)], more=separate)
    tiff(f"planes16-{order}.tif", order, 2, 16, 3, [zlib.compress(raw(fine[..., i], "u2"), 9) for i in range(3)], more=separate)
    tiff(f"tiles-{order}.tif", order, 2, 8, 3, tiles(colours), more={**deflated, 322: [32], 323: [16]})
    tiff(f"tiled-planes-{order}.tif", order, 2, 8, 3, sum((tiles(np.ascontiguousarray(colours[..., i])) for i in range(3)), []),
         more={**separate, 322: [32], 323: [16]})
    tiff(f"white-is-zero-{order}.tif", order, 0, 8, 1, [raw(grey, "u1")])
    tiff(f"multiplied-{order}.tif", order, 2, 8, 4, [raw(multiplied, "u1")], more={338: [1]})
    tiff(f"multiplied16-{order}.tif", order, 2, 16, 4, [raw(multiplied.astype(int) * 257, "u2")], more={338: [1]})
    tiff(f"fourth-unknown-{order}.tif", order, 2, 8, 4, [raw(multiplied, "u1")], more={338: [0]})
    tiff(f"fourth-untold-{order}.tif", order, 2, 8, 4, [raw(multiplied, "u1")])
    tiff(f"signed16-{order}.tif", order, 1, 16, 1, [raw(grey.astype(int) * 3 - 200, "i2")], more={339: [2]})
    tiff(f"signed32-{order}.tif", order, 1, 32, 1, [raw(grey.astype(int) * 3 - 200, "i4")], more={339: [2]})
    tiff(f"float-{order}.tif", order, 1, 32, 1, [raw(grey * 1.5 - 40, "f4")], more={339: [3]})
    # Pillow cuts off at 255, so that nearly all is white; the high byte is meant.
    tiff(f"grey16-{order}.tif", order, 1, 16, 1, [raw(fine[..., 0], "u2")], np.repeat(fine[..., :1] >> 8, 3, axis=2))
for bits in (1, 2, 4):
    values = grey >> (8 - bits)
    tiff(f"grey{bits}.tif", "II", 1, bits, 1, [bits_of(values, bits)])
    tiff(f"grey{bits}-white-is-zero.tif", "II", 0, bits, 1, [bits_of(values, bits)])
    tiff(f"grey{bits}-low-bits-first.tif", "II", 1, bits, 1, [bits_of(values, bits).translate(reversed_bits)], more={266: [2]})
    tiff(f"palette{bits}.tif", "MM", 3, bits, 1, [bits_of(values, bits)], more={320: random.randint(0, 65536, 3 << bits).tolist()})
tiff("grey12.tif", "II", 1, 12, 1, [bits_of(fine[..., 0] >> 4, 12)], np.repeat(fine[..., :1] >> 8, 3, axis=2))
tiff("cmyk16.tif", "II", 5, 16, 4, [(ink.astype(int) * 257).astype("<u2").tobytes()])


def bmp(name, bits, data, compression=0, colour_table=b"", masks=b"", header=40, top_down=False, used=0, expected=None):
    if header == 12:
        about = struct.pack("<IHHHH", 12, W, H, 1, bits)
    else:
        about = struct.pack("<IiiHHIIiiII", header, W, -H if top_down else H, 1, bits, compression, len(data), 0, 0, used, 0)
        if header > 40:
            about, masks = about + masks.ljust(header - 40, b"\0"), b""
    offset = 14 + len(about) + len(masks) + len(colour_table)
    keep(name, b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + about + masks + colour_table + data, expected)


def rows(array):
    return b"".join(row.tobytes().ljust((len(row.tobytes()) + 3) // 4 * 4, b"\0") for row in array[::-1])


red, green, blue = (colours[..., i].astype(int) for i in range(3))
five = ((red >> 3) << 10 | (green >> 3) << 5 | blue >> 3).astype("<u2")
six = ((red >> 3) << 11 | (green >> 2) << 5 | blue >> 3).astype("<u2")
bgra = np.dstack([colours[..., ::-1], grey])
bmp("555.bmp", 16, rows(five))
bmp("555-masks.bmp", 16, rows(five), 3, masks=struct.pack("<III", 0x7C00, 0x3E0, 0x1F))
bmp("565-masks.bmp", 16, rows(six), 3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
bmp("32.bmp", 32, rows(bgra))
bmp("32-masks.bmp", 32, rows(bgra), 3, masks=struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000), header=108)
bmp("top-down.bmp", 24, rows(colours[::-1, :, ::-1]), top_down=True)
bmp("os2.bmp", 24, rows(colours[..., ::-1]), header=12)
indices = np.asarray(palette)
table = np.zeros((256, 4), np.uint8)
flat = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)
table[:len(flat), :3] = flat[:, ::-1]
bmp("palette.bmp", 8, rows(indices), colour_table=table.tobytes())
bmp("palette-short.bmp", 8, rows(indices), colour_table=table[:10].tobytes(), used=10)
bmp("palette-os2.bmp", 8, rows(indices), colour_table=table[:, :3].tobytes(), header=12)
nibbles = indices % 16
bmp("palette4.bmp", 4, b"".join(bits_of(row[None], 4).ljust((W * 4 + 31) // 32 * 4, b"\0") for row in nibbles[::-1]), colour_table=table[:16].tobytes())


def runs(array, bits, literal):
    data = b""
    for row in array[::-1].tolist():
        at = 0
        while at < len(row):
            count = 1
            while at + count < len(row) and row[at + count] == row[at] and count < 255:
                count += 1
            if count >= 3 or len(row) - at < literal:
                data += bytes([count, row[at] if bits == 8 else row[at] << 4 | row[at]])
            else:
                count, values = literal, row[at:at + literal]
                body = bytes(values) if bits == 8 else bytes(a << 4 | b for a, b in zip(values[::2], (values + [0])[1::2]))
                data += bytes([0, count]) + body + b"\0" * (len(body) % 2)
            at += count
        data += b"\0\0"
    return data + b"\0\1"


bmp("runs8.bmp", 8, runs(indices, 8, 4), 1, colour_table=table.tobytes())
bmp("runs4.bmp", 4, runs(nibbles, 4, 4), 2, colour_table=table[:16].tobytes())
# Literal runs of odd length and jumps, which Pillow 9.4 misreads and 11 reads.
bmp("runs8-odd.bmp", 8, runs(indices, 8, 5), 1, colour_table=table.tobytes(), expected=table[indices][..., 2::-1])
bmp("runs4-odd.bmp", 4, runs(nibbles, 4, 5), 2, colour_table=table[:16].tobytes(), expected=table[nibbles][..., 2::-1])
jumped = np.zeros_like(indices)
jumped[H - 1, :3], jumped[H - 4, 5:9] = 7, 9  # rows count from below
bmp("runs8-jump.bmp", 8, bytes([3, 7, 0, 2, 2, 3, 4, 9, 0, 1]), 1, colour_table=table.tobytes(), expected=table[jumped][..., 2::-1])

text = lambda array: b"\n".join(b" ".join(b"%d" % value for value in row.ravel()) for row in array)
keep("plain.pbm", b"P1 29 19\n" + b"\n".join(b"".join(b"%d" % (value == 0) for value in row) for row in np.asarray(modes["1"])))
keep("plain.pgm", b"P2 # by hand\n29 19 # across, down\n255\n" + text(grey) + b"\n")
keep("plain.ppm", b"P3\n29 19 200\n" + text(colours.astype(int) * 200 // 255))
for most in (15, 100, 1000, 65535):
    scaled = colours.astype(int) * most // 255
    keep(f"most{most}.ppm", b"P6\n29 19\n%d\n" % most + scaled.astype(">u2" if most > 255 else "u1").tobytes())
keep("most100.pgm", b"P5\n29 19\n100\n" + (grey.astype(int) * 100 // 255).astype("u1").tobytes())

lines, pictures = [], {}
for name, expected in written:
    pixels = np.asarray(Image.open(kinds / name).convert("RGB")) if expected is None else expected.astype(np.uint8)
    key = pixels.tobytes() + bytes(pixels.shape[:1])
    if key not in pictures:
        pictures[key] = name + ".png"
        Image.fromarray(np.ascontiguousarray(pixels)).save(kinds / "expected" / pictures[key], optimize=True)
    lines.append(f"{name},{pictures[key]}\n")
(kinds / "expected.csv").write_text("file,picture\n" + "".join(lines))

# Photographs that are turned.
turned = here / "turned"
shutil.rmtree(turned, ignore_errors=True)
turned.mkdir()
tiny = small.resize((7, 5))


def exif(orientation, order="<", kind=3, count=1, extra=b""):
    """A TIFF block whose one entry is the orientation; kind 3 is SHORT, 4 LONG, 5 RATIONAL, 1 BYTE, 9 signed LONG."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    value = {1: lambda: struct.pack("B3x", orientation), 3: lambda: struct.pack(order + "H2x", orientation),
             4: lambda: struct.pack(order + "I", orientation), 9: lambda: struct.pack(order + "i", orientation),
             5: lambda: struct.pack(order + "I", 26)}[kind]()
    return start + struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, count) + value + struct.pack(order + "I", 0) + extra


def xmp(orientation, as_attribute=True):
    inner = f'tiff:Orientation="{orientation}"/>' if as_attribute else f"><tiff:Orientation>{orientation}</tiff:Orientation></rdf:Description>"
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {inner}</rdf:RDF></x:xmpmeta>').encode()


def jpeg(name, *segments):
    tiny.save(turned / name, quality=85)
    data = (turned / name).read_bytes()
    app1 = b"".join(b"\xFF\xE1" + struct.pack(">H", len(segment) + 2) + segment for segment in segments)
    (turned / name).write_bytes(data[:2] + app1 + data[2:])


def png(name, *chunks, after=False):
    tiny.save(turned / name)
    data = (turned / name).read_bytes()
    new = b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    at = len(data) - 12 if after else 33
    (turned / name).write_bytes(data[:at] + new + data[at:])


head, xmp_head = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
for orientation in range(1, 9):
    jpeg(f"short{orientation}.jpg", head + exif(orientation))
    png(f"exif{orientation}.png", (b"eXIf", exif(orientation, ">")))
    tiny.save(turned / f"exif{orientation}.webp", lossless=True, exif=exif(orientation))
jpeg("long.jpg", head + exif(6, kind=4))
jpeg("long-big-endian.jpg", head + exif(8, ">", kind=4))
jpeg("signed-long.jpg", head + exif(3, kind=9))
jpeg("rational.jpg", head + exif(0, kind=5, extra=struct.pack("<II", 6, 1)))
jpeg("byte.jpg", head + exif(6, kind=1))  # no number to Pillow
jpeg("nine.jpg", head + exif(9))
jpeg("zero.jpg", head + exif(0))
png("after-pixels.png", (b"eXIf", exif(6)), after=True)
png("exif-before-xmp.png", (b"eXIf", exif(6)), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(3)))
png("xmp.png", (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(8)))
png("xmp-element.png", (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(5, as_attribute=False)))
png("xmp-deflated.png", (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp(7))))
profile = b"\nexif\n%8d\n" % 32 + (head + exif(6)).hex().encode() + b"\n"
png("raw-profile.png", (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)))
png("raw-profile-text.png", (b"tEXt", b"Raw profile type exif\0" + profile))
found = {}
for file in sorted(turned.iterdir()):
    image = Image.open(file)
    plain, upright = np.asarray(image.convert("RGB")), np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    ways = {1: plain, 2: plain[:, ::-1], 3: plain[::-1, ::-1], 4: plain[::-1], 5: plain.transpose(1, 0, 2),
            6: plain[::-1].transpose(1, 0, 2), 7: plain[::-1, ::-1].transpose(1, 0, 2), 8: plain[:, ::-1].transpose(1, 0, 2)}
    found[file.name], = [way for way, pixels in ways.items() if pixels.shape == upright.shape and (pixels == upright).all()]
# XMP of JPEG and WebP is heeded by Pillow since 11.1, by the same rule; 9.4 does not look at it.
jpeg("xmp.jpg", xmp_head + xmp(6))
jpeg("exif-before-xmp.jpg", head + exif(3), xmp_head + xmp(6))
tiny.save(turned / "xmp.webp", lossless=True, xmp=xmp(8))
found.update({"xmp.jpg": 6, "exif-before-xmp.jpg": 3, "xmp.webp": 8})
(turned / "expected.csv").write_text("file,orientation\n" + "".join(f"{name},{way}\n" for name, way in sorted(found.items())))

# A PNG whose compressed stream declares a window of 256 bytes and reaches further back, as encoders are about that
# declare the least window for a picture's size and then use the whole one.
noise = np.random.RandomState(1).randint(0, 256, (24, 40, 3), np.uint8)
noise[12:] = noise[:12]
rows_of_png = b"".join(b"\0" + row.tobytes() for row in noise)
stream = bytearray(zlib.compress(rows_of_png, 9))
stream[0] = 0x08  # 2^8 bytes; the low bits of the next make the two a multiple of 31
stream[1] = stream[1] & 0xE0
stream[1] += 31 - (stream[0] * 256 + stream[1]) % 31
chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
(here / "small-window.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 24, 8, 2, 0, 0, 0))
                                        + chunk(b"IDAT", bytes(stream)) + chunk(b"IEND", b""))
(here / "small-window.rgb").write_bytes(np.asarray(Image.open(here / "small-window.png").convert("RGB")).tobytes())
assert (here / "small-window.rgb").read_bytes() == noise.tobytes()
