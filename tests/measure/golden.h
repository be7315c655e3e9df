// tests/measure/golden.h - the network, data and norms of tests/data/golden/measure, which PyTorch made.
#pragma once
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/dataset.h"
#include "glidepath/models.h"
#include "measure/full_gradient.h"
#include "nn/network.h"

namespace glidepath {

inline const char* golden_weights() { return GLIDEPATH_TEST_DATA "/measure/resnet8.safetensors"; }

inline nlohmann::json golden_norms() {
  std::ifstream file(GLIDEPATH_TEST_DATA "/measure/grad_norm.json");
  return nlohmann::json::parse(file);
}

inline std::shared_ptr<Network> small_network() {
  ModelOptions options;
  options.name = "resnet8";
  options.width = 0.25;
  options.in_channels = 1;
  options.image_size = 8;
  return make_network(options);
}

inline std::shared_ptr<Model> in_format(std::shared_ptr<Model> model, bool channels_last) {
  for (torch::Tensor& parameter : model->parameters()) {
    if (channels_last && parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  return model;
}

inline std::shared_ptr<Model> small_resnet8(bool channels_last = true) {
  return in_format(module_model(small_network()), channels_last);
}

inline ComputePlan plan_for(bool channels_last) {
  ComputePlan plan;
  plan.channels_last = channels_last;
  return plan;
}

inline FullGradientOptions options_of(const nlohmann::json& norms, const nlohmann::json& expected) {
  FullGradientOptions options;
  options.batch_size = norms.at("batch_size");
  if (expected.at("bn") == "running") options.statistics = NormStatistics::kRunning;
  options.task = make_classification(expected.at("smoothing"));
  options.weight_decay = expected.at("decay") ? norms.at("weight_decay").get<double>() : 0;
  return options;
}

/// Every case of what PyTorch computed, to a relative error of 1e-4.
inline void expect_norms(Model& model, const nlohmann::json& norms, bool channels_last) {
  const Dataset digits = load_dataset("digits");
  for (const auto& expected : norms.at("cases")) {
    SCOPED_TRACE(expected.dump());
    const auto found = full_gradient(model, digits, options_of(norms, expected), plan_for(channels_last));
    const double norm = expected.at("grad_norm"), loss = expected.at("loss");
    EXPECT_NEAR(found.norm, norm, 1e-4 * norm);
    EXPECT_NEAR(found.mean_loss, loss, 1e-5 * loss);
    EXPECT_EQ(found.examples, 1438);
  }
}

}  // namespace glidepath
