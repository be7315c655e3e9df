// tests/measure/weight_norm_test.cpp - weight norms against those that PyTorch gives the same file.
#include "measure/weight_norm.h"

#include "measure/golden.h"

namespace glidepath {
namespace {

TEST(WeightNorm, EqualsPyTorchsLayerByLayerAndTogether) {
  for (const bool channels_last : {false, true}) {
    const auto model = small_resnet8(channels_last);
    load_state_dict(*model, load_safetensors(golden_weights()));
    const WeightNorm found = weight_norm(*model);
    const auto expected = golden_norms().at("weight_norms");
    ASSERT_EQ(found.parameters.size(), expected.size());
    double squared = 0;
    for (const auto& [name, norm] : found.parameters) {
      SCOPED_TRACE(name);
      EXPECT_NEAR(norm, expected.at(name).get<double>(), 1e-9);
      squared += norm * norm;
    }
    EXPECT_NEAR(found.total, std::sqrt(squared), 1e-12);
  }
}

}  // namespace
}  // namespace glidepath
