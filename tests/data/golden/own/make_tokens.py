# Makes text.txt, and text.json with what nanoGPT's data/shakespeare_char/prepare.py makes of it: the characters in
# order, and the tokens to train on and to test on. Run: python3 make_tokens.py
import json
from pathlib import Path

folder = Path(__file__).parent
text = "Glidepath lands.\n\tÄrger, naïve café; 学习率 → 0 🛬.\n" * 7 + "end"
(folder / "text.txt").write_text(text, encoding="utf-8")
chars = sorted(list(set(text)))
stoi = {ch: i for i, ch in enumerate(chars)}
n = len(text)
train, val = text[: int(n * 0.9)], text[int(n * 0.9) :]
(folder / "text.json").write_text(json.dumps({
    "characters": chars, "train": [stoi[c] for c in train], "val": [stoi[c] for c in val],
    "bytes_per_token": len(val.encode()) / len(val)}), encoding="utf-8")
