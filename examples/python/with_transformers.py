"""Hugging Face's Trainer under a budget: a small language model of any text file.

python with_transformers.py [TEXT] [BUDGET]
"""

import pathlib
import sys

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from glidepath.transformers import GlideCallback

text = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).read_bytes()
budget = sys.argv[2] if len(sys.argv) > 2 else "1m"
tokens = torch.tensor(list(text))  # bytes
chunks = [{"input_ids": tokens[i : i + 64], "labels": tokens[i : i + 64]} for i in range(0, len(tokens) - 64, 16)]

model = GPT2LMHeadModel(GPT2Config(vocab_size=256, n_positions=64, n_embd=64, n_layer=2, n_head=2))
arguments = TrainingArguments(
    "out/language-model",
    per_device_train_batch_size=16,
    learning_rate=1e-3,
    report_to=[],
    save_strategy="no",
    logging_steps=20,
    disable_tqdm=True,
)
# The one addition: no epochs, no max_steps, no warmup_steps.
trainer = Trainer(model, arguments, train_dataset=chunks, callbacks=[GlideCallback(budget, "linear(warmup=5%)")])
trainer.train()
print(f"loss {trainer.state.log_history[-1]['train_loss']:.3f} after {trainer.state.global_step} updates")
