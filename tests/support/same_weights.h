// tests/support/same_weights.h - whether two runs ended with the same bits.
#pragma once
#include <filesystem>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/safetensors.h"

namespace glidepath {

inline void expect_same_weights(const std::filesystem::path& a, const std::filesystem::path& b) {
  const TensorMap first = load_safetensors(a / "model.safetensors"),
                  second = load_safetensors(b / "model.safetensors");
  ASSERT_EQ(first.size(), second.size());
  ASSERT_GT(first.size(), 0U);
  for (const auto& [name, tensor] : first) EXPECT_TRUE(torch::equal(tensor, second.at(name))) << name;
}

}  // namespace glidepath
