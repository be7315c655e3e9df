#!/usr/bin/env python3
"""Trains many kinds of short runs with two builds of the program, and compares what they leave, bit for bit.

    same_bits.py OLD NEW [--only WORD] [--list]

For whoever changes the code that trains and means to change nothing: OLD is the program as it was. Weights,
metrics, summaries and the tensors of the last checkpoint have to be equal, but for clock readings. Runs that OLD
began and was killed in, and a study of its, are also finished by NEW, and have to come to what OLD comes to alone.
With GLIDEPATH_DATA two kinds use CIFAR-10 too. On 2 cores about 3 minutes.
"""

import argparse
import csv
import functools
import hashlib
import io
import itertools
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import runs

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "study"))
from kill_study import REAL_STUDY, TIMES

CONVNET = dict(model="convnet", width=0.25, budget="60it", eval_every="1ep", checkpoint_every="10it")
KINDS = {
    "mlp": dict(budget="150it", eval_every="10it", checkpoint_every="40it"),
    "convnet": dict(CONVNET, schedule="rex(warmup=5%)", bn_estimate=256),
    "running statistics": dict(CONVNET, schedule="step-d2", bn_estimate="off", saved_statistics="running"),
    "no nesterov": dict(CONVNET, nesterov="false", decay_norm_bias="false", label_smoothing=0.1, schedule="const"),
    "residual": dict(CONVNET, model="resnet8", budget="12it", full="12it", schedule="linear(floor=5%)"),
    "bf16": dict(CONVNET, precision="bf16", budget="20it"),
    "loss scale": dict(CONVNET, precision="bf16", loss_scale="dynamic", budget="20it"),
    "contiguous": dict(CONVNET, channels_last="false", augment="false", budget="20it"),
    "adam": dict(CONVNET, optimizer="adam", base_lr=0.002),
    "amsgrad": dict(CONVNET, optimizer="amsgrad", base_lr=0.002, budget="30it"),
    "adamw": dict(CONVNET, optimizer="adamw", base_lr=0.002, weight_decay=0.01, budget="30it"),
    "rmsprop": dict(CONVNET, optimizer="rmsprop", base_lr=0.001, budget="30it"),
    "adagrad": dict(CONVNET, optimizer="adagrad", base_lr=0.01, budget="30it"),
    "plateau": dict(budget="330it", eval_every="25it", checkpoint_every="100it",
                    schedule="plateau(factor=0.5,patience=5%,threshold=0.05)"),
    "rewind": dict(budget="60it", eval_every="15it", checkpoint_every="20it", momentum=0, nesterov="false", base_lr=5,
                   on_divergence="rewind"),
    "measures": dict(CONVNET, measure="grad-norm(layers=yes,bn=fresh,decay=yes)@points=4,weight-norm,effective-lr,"
                                      "grad-norm-online(peek=5)@every=17it"),
    "held out": dict(CONVNET, val="20%", schedule="cosine"),
    "held out, end": dict(CONVNET, val="300", eval_every="end"),
    "operations": dict(model="mlp", budget="2e8flop", full="20ep"),
    "branch": dict(CONVNET, schedule="wsd(decay=50%,shape=linear)"),
}
CIFAR = {
    "cifar10": dict(data="cifar10", model="resnet8", width=0.25, train_limit=2000, test_limit=500, full="12it",
                    budget="100%", base_lr=0.1),
    "cifar10, two threads": dict(data="cifar10", model="resnet20", width=0.25, train_limit=500, test_limit=250,
                                 full="4it", budget="100%", base_lr=0.1, threads=2,
                                 measure="grad-norm(images=200)@points=2"),
}
FOLDER = dict(CONVNET, full="3ep", budget="100%", batch_size=16, workers=2, checkpoint_every="2it")
RANKS = {
    "two ranks": dict(CONVNET, budget="30it"),
    "two ranks, all norms": dict(CONVNET, budget="20it", sync_bn="true", measure="grad-norm@points=2"),
    "two ranks, odd batches": dict(model="mlp", budget="3ep", batch_size=127, measure="grad-norm-online(peek=5)@every=1ep"),
}
RESUMED = ("mlp", "convnet", "adam", "plateau", "rewind", "measures", "held out", "branch", "loss scale")
def fail(message):
    sys.exit(f"same_bits.py: {message}")


def png(path, side, seed):
    """A picture of noise over two colours, which a network can tell classes by."""
    rows, state = bytearray(), seed + 1
    for _ in range(side):
        rows.append(0)
        for _ in range(side * 3):
            state = (state * 1103515245 + 12345) % 2**31
            rows.append((state >> 16) % 128 + (64 if seed % 3 else 0))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) +
                     chunk(b"IEND", b""))


def image_folder(folder):
    """Three classes of pictures of many sizes; one cannot be decoded."""
    for split, count in (("train", 32), ("val", 8)):
        for name in ("apple", "bee", "cup"):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                png(folder / split / name / f"{i}.png", 34 + 5 * (i % 4), i * 3 + len(name) % 3)
    (folder / "train/apple/bad.png").write_bytes(b"no picture")
    return folder


def tensors(file):
    """A digest of each tensor of a safetensors file, and its metadata but for clock readings."""
    data = file.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, content = json.loads(data[8:8 + size]), data[8 + size:]
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], hashlib.sha256(content[slice(*entry["data_offsets"])]).hexdigest())
            for name, entry in header.items()}


def outcome(folder):
    found = runs.outcome(folder)
    found["model"] = tensors(folder / "model.safetensors")
    for file in sorted((folder / "checkpoint").glob("*.safetensors")):
        found[f"checkpoint {file.name}"] = tensors(file)
    if (folder / "best.safetensors").exists():
        found["best"] = tensors(folder / "best.safetensors")
    return found


def require_same(kind, old, new):
    for part in sorted(set(old) | set(new)):
        mine, theirs = new.get(part), old.get(part)
        if mine == theirs:
            continue
        pairs = itertools.zip_longest(theirs or [], mine or []) if isinstance(mine, list) else [(theirs, mine)]
        where = next(pair for pair in pairs if pair[0] != pair[1])
        if isinstance(where[0], dict) and isinstance(where[1], dict):
            where = tuple({key: value for key, value in side.items() if value != other.get(key)}
                          for side, other in (where, where[::-1]))
        fail(f"{kind}: {part} differs:\n  old {where[0]}\n  new {where[1]}")


@functools.lru_cache(maxsize=None)
def knows(program, flag):
    return flag in subprocess.run([program, "train", "--help"], capture_output=True, text=True, check=True).stdout


def arguments(program, options):
    """With LibTorch's convolutions, which are all that older programs have."""
    return runs.arguments(**options) + (["--conv=library"] if knows(program, "--conv ") else [])


def train(program, folder, options):
    status, errors = runs.run(program, "--out", folder, *arguments(program, options))
    if status != 0:
        fail(f"{program} ends with {status}: {errors}")


def train_in_two(program, folder, options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    job = [runs.start(program, "--out", folder, *arguments(program, options),
                      env=dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE="2", LOCAL_RANK=str(rank),
                               LOCAL_WORLD_SIZE="2", RANK=str(rank))) for rank in range(2)]
    for process in job:
        _, errors = process.communicate(timeout=100)
        if process.returncode != 0:
            fail(f"{program} ends with {process.returncode}: {errors}")


def begin(program, folder, options):
    """A run that is killed behind its first few lines; true where it was not faster."""
    process = runs.start(program, "--out", folder, *arguments(program, dict(options, checkpoint_every="3it")))
    while process.poll() is None and len(list((folder / "checkpoint").glob("step-*"))) < 2:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    return not (folder / "summary.json").exists()


def finish(program, folder, *changes):
    status, errors = runs.run(program, "--resume", folder, *changes)
    if status != 0:
        fail(f"{program} --resume ends with {status}: {errors}")


def without_checkpoints(found):
    return {part: value for part, value in found.items() if not part.startswith("checkpoint")}


def resumed(old, new, folder, options, *changes):
    """What OLD makes of a run that it has begun, and what NEW makes of it."""
    for tries in range(10):
        begun = folder / f"begun{tries}"
        if begin(old, begun, options):
            break
    else:
        fail("every run was faster than its killer")
    shutil.copytree(begun, folder / "copy")
    finish(old, folder / "copy", *changes)
    finish(new, begun, *changes)
    return without_checkpoints(outcome(folder / "copy")), without_checkpoints(outcome(begun))


def rewound(old, new, folder, options):
    """The same for a run that has ended and is given twice its budget."""
    train(old, folder / "old", options)
    for name, program in (("by old", old), ("by new", new)):
        finish(program, folder / "old", "--budget=120it", "--replan=rewind", f"--out={folder / name}")
    return outcome(folder / "by old"), outcome(folder / "by new")


def results(out):
    table = list(csv.DictReader(io.StringIO((out / "results.csv").read_text())))
    return {"results": [{name: cell for name, cell in row.items() if name not in TIMES} for row in table],
            "table": (out / "table.md").read_text()}


def studies(old, new, folder):
    """A study that OLD makes, and one that it has begun and NEW ends."""
    (folder / "study.toml").write_text(REAL_STUDY)

    def study(program, out):
        return subprocess.Popen([program, "study", folder / "study.toml", "--out", out, "--quiet"])

    if study(old, folder / "old").wait() != 0:
        fail("the study failed")
    process = study(old, folder / "new")
    while process.poll() is None and not list((folder / "new/runs").glob("*/summary.json")):
        time.sleep(0.01)
    process.terminate()
    process.wait()
    if study(new, folder / "new").wait() != 0:
        fail("the study of the new program failed")
    return results(folder / "old"), results(folder / "new")


def cases(old, new, folder):
    """(name, what is compared), each of them made when it is called."""

    def both(how, options):
        def compare(at):
            for name, program in (("old", old), ("new", new)):
                how(program, at / name, options)
            return outcome(at / "old"), outcome(at / "new")
        return compare

    kinds = {name: (train, options) for name, options in KINDS.items()}
    images = f"imagefolder:{image_folder(folder / 'images')}"
    kinds["image folder"] = (train, dict(FOLDER, data=images, max_corrupt="5%"))
    kinds["sizes that grow"] = (train, dict(FOLDER, model="resnet8", data=images, max_corrupt="5%",
                                             train_res="24@0,32@50%", eval_res=32))
    kinds.update({name: (train_in_two, options) for name, options in RANKS.items()})
    if "GLIDEPATH_DATA" in os.environ:
        kinds.update({name: (train, options) for name, options in CIFAR.items()})
    for name, (how, options) in kinds.items():
        yield name, both(how, options)
    for name in RESUMED:
        yield f"{name}, resumed", lambda at, options=KINDS[name]: resumed(old, new, at, options)
    yield "re-annealed", lambda at: resumed(old, new, at, KINDS["convnet"], "--budget=45it")
    yield "rewound", lambda at: rewound(old, new, at, KINDS["branch"])
    yield "study, gone on with", lambda at: studies(old, new, at)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    begun = time.monotonic()
    count = 0
    with tempfile.TemporaryDirectory(prefix="same-bits-") as folder:
        for name, compare in cases(options.old.resolve(), options.new.resolve(), pathlib.Path(folder)):
            if options.only not in name:
                continue
            count += 1
            if options.list:
                print(name)
                continue
            at = pathlib.Path(folder) / f"case{count}"
            at.mkdir()
            require_same(name, *compare(at))
            print(f"{name}: the same", flush=True)
            shutil.rmtree(at)
    if count == 0:
        fail(f"no case has \"{options.only}\" in its name")
    if not options.list:
        print(f"{count} cases, all the same, in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
