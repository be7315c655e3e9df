#!/usr/bin/env python3
"""Writes ILSVRC2012_devkit_t12.tar.gz, meta_plain.mat and devkit.json: a development kit of the real one's shape with
four classes and two nodes above them, its files written by scipy, and what torchvision reads from it.

Needs scipy and torchvision (made with 1.11 and 0.14).
"""
import io
import json
import tarfile
import tempfile
from pathlib import Path

import numpy
import scipy.io
from torchvision.datasets import imagenet

HERE = Path(__file__).parent
# ILSVRC2012_ID, WNID, words, num_children, children: ids are not in the order of the WNIDs.
ROWS = [
    (1, "n02119789", "kit fox, Vulpes macrotis", 0, []),
    (2, "n02100735", "English setter", 0, []),
    (3, "n01440764", "tench, Tinca tinca", 0, []),
    (4, "n03000247", "chain mail, ring mail, mail, chain armor, chain armour, ring armor, ring armour", 0, []),
    (5, "n00001740", "entity", 2, [1, 6]),
    (6, "n00004258", "living thing, animate thing", 3, [2, 3, 4]),
]
TRUTH = [3, 1, 4, 1, 2, 4]

fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O"),
          ("children", "O"), ("wordnet_height", "O"), ("num_train_images", "O")]
synsets = numpy.empty((len(ROWS), 1), dtype=fields)
for i, (number, wnid, words, count, children) in enumerate(ROWS):
    synsets[i, 0] = (float(number), wnid, words, "a gloss of " + words, float(count),
                     numpy.array([children], dtype=numpy.float64), float(bool(count)), 1300.0 if not count else 0.0)


def mat(compress):
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"before": numpy.arange(7), "synsets": synsets}, do_compression=compress)
    # The header holds the time; it is text that nobody reads.
    return b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:]


(HERE / "meta_plain.mat").write_bytes(mat(False))
archive = HERE / "ILSVRC2012_devkit_t12.tar.gz"
with tarfile.open(archive, "w:gz", compresslevel=9) as tar:
    for name, data in (("readme.txt", b"A kit of four classes.\n"), ("data/meta.mat", mat(True)),
                       ("data/ILSVRC2012_validation_ground_truth.txt", "".join(f"{t}\n" for t in TRUTH).encode())):
        info = tarfile.TarInfo("ILSVRC2012_devkit_t12/" + name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

# torchvision's own check wants the real kit's checksum; parsing comes after it.
imagenet._verify_archive = lambda *arguments: None
with tempfile.TemporaryDirectory() as root:
    (Path(root) / archive.name).write_bytes(archive.read_bytes())
    imagenet.parse_devkit_archive(root)
    wnid_to_words, val_wnids = imagenet.load_meta_file(root)
wnids = sorted(wnid_to_words)  # what ImageFolder makes of the class folders
(HERE / "devkit.json").write_text(json.dumps({
    "class_names": [f"{wnid} {', '.join(wnid_to_words[wnid])}" for wnid in wnids],
    "val_labels": [wnids.index(wnid) for wnid in val_wnids],
}, indent=1) + "\n")
