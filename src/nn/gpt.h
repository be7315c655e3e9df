// src/nn/gpt.h - a small decoder-only transformer.
#pragma once
#include <memory>

#include "nn/network.h"

namespace glidepath {

/// GPT-2's network (Radford et al. 2019) as nanoGPT has it without biases: learned positions, norms before
/// attention and MLP, GELU, and a head that is the embedding's weight. 4 layers of 4 heads and 128 channels
/// at width 1. tokens int64 [B, T <= context], each in [0, classes) -> logits [B, T, classes]. Parameters
/// have nanoGPT's names and first values. Its cost counts attention over all pairs, masked ones too.
std::shared_ptr<Network> make_gpt(const ModelOptions& options);

}  // namespace glidepath
