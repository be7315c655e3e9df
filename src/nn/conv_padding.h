// src/nn/conv_padding.h - the padding of a convolution, whose options are a variant of LibTorch's or the
// library's.
#pragma once
#include <torch/nn/modules/conv.h>

namespace glidepath {

/// Only so that the calls below are read as a template's; c10::get_if (1.13) or std::get_if (2.x) is what
/// they find.
template <int>
void get_if();

/// Rows and columns; null for "same", "valid".
inline const torch::ExpandingArray<2>* padding_of(const torch::nn::Conv2dImpl& conv) {
  return get_if<torch::ExpandingArray<2>>(&conv.options.padding());
}

inline bool pads_with_zeros(const torch::nn::Conv2dImpl& conv) {
  return get_if<torch::enumtype::kZeros>(&conv.options.padding_mode()) != nullptr;
}

}  // namespace glidepath
