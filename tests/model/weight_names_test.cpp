// tests/model/weight_names_test.cpp - weights as PyTorch's wrappers, Lightning and checkpoints name them.
#include "model/weight_names.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/models.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class WeightNamesTest : public testing::Test {
 protected:
  WeightNamesTest() {
    ModelOptions options;
    options.name = "resnet8";
    options.width = 0.25;
    options.image_size = 8;
    model_ = make_model(options);
    for (const auto& [name, tensor] : state_dict(*model_))
      wanted_[name] = tensor.is_floating_point() ? torch::rand_like(tensor) : torch::full_like(tensor, 7);
  }
  TensorMap named(const std::string& prefix) const {
    TensorMap tensors;
    for (const auto& [name, tensor] : wanted_) tensors[prefix + name] = tensor;
    return tensors;
  }
  void expect_taken(const TensorMap& stored, bool counts = true) {
    notes_ = load_stored_weights(*model_, stored);
    for (const auto& [name, tensor] : state_dict(*model_)) {
      if (counts || tensor.is_floating_point()) {
        EXPECT_TRUE(torch::equal(tensor, wanted_.at(name))) << name;
      }
    }
  }
  std::string refusal(const TensorMap& stored) const {
    const TensorMap before = state_dict(*model_);
    const torch::Tensor kept = before.at("fc.bias").clone();
    try {
      load_stored_weights(*model_, stored);
    } catch (const InputError& error) {
      EXPECT_TRUE(torch::equal(state_dict(*model_).at("fc.bias"), kept));
      return error.what();
    }
    return "taken";
  }

  std::shared_ptr<Model> model_;
  TensorMap wanted_;
  std::vector<std::string> notes_;
};

TEST_F(WeightNamesTest, AsTheyAreAreTakenWithoutAWord) {
  expect_taken(named(""));
  EXPECT_THAT(notes_, ElementsAre());
}

TEST_F(WeightNamesTest, PrefixesInAnyNestingArePassedOverAndSaid) {
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "state_dict.", "module._orig_mod.",
                                   "state_dict.model.", "state_dict.model._orig_mod.module."}) {
    SCOPED_TRACE(prefix);
    expect_taken(named(prefix));
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_THAT(notes_[0], HasSubstr("\"" + prefix.substr(prefix.rfind('.', prefix.size() - 2) + 1) + "\""));
  }
  // Blocks that were compiled by themselves.
  TensorMap blocks;
  for (const auto& [name, tensor] : wanted_) {
    const std::string block = "layer1.0.";
    const bool is_of_block = name.compare(0, block.size(), block) == 0;
    blocks[is_of_block ? block + "_orig_mod." + name.substr(block.size()) : name] = tensor;
  }
  expect_taken(blocks);
}

TEST_F(WeightNamesTest, CountsOfBatchesMayBeMissingOrListsOfOne) {
  TensorMap without = wanted_, lists = wanted_;
  for (const auto& item : wanted_) {
    if (item.second.is_floating_point()) continue;
    without.erase(item.first);
    lists[item.first] = item.second.reshape({1});
  }
  ASSERT_LT(without.size(), wanted_.size());
  expect_taken(without, false);
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_THAT(notes_[0], HasSubstr("num_batches_tracked missing"));
  expect_taken(lists);
}

TEST_F(WeightNamesTest, WhatACheckpointHoldsBesideThemIsLeftOut) {
  TensorMap checkpoint = named("state_dict.model.");
  checkpoint["optimizer.state.0.momentum_buffer"] = torch::ones({3});
  checkpoint["epoch"] = torch::ones({1});
  expect_taken(checkpoint);
  ASSERT_EQ(notes_.size(), 2U);
  EXPECT_THAT(notes_[1], HasSubstr("2 tensors beside the weights left out"));
}

TEST_F(WeightNamesTest, RefusesAnotherModelsAndTwoOfOneName) {
  TensorMap lacking = named("module."), more = named("module."), plain = wanted_, twice = named("module.");
  lacking.erase("module.fc.weight");
  more["module.fc2.weight"] = plain["extra"] = torch::ones({1});
  twice["fc.bias"] = wanted_.at("fc.bias");
  EXPECT_EQ(refusal(lacking), "weights: \"fc.weight\" is missing; they are of another model");
  EXPECT_EQ(refusal(more),
            "weights: \"module.fc2.weight\" is none of this model's; they are of another model");
  EXPECT_EQ(refusal(plain), "weights: \"extra\" is none of this model's; they are of another model");
  EXPECT_EQ(refusal(twice),
            "weights: \"fc.bias\" and \"module.fc.bias\" are both \"fc.bias\"; keep one of them");
}

TEST_F(WeightNamesTest, RefusesWhatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const char* name : {"fc.weight", "bn1.running_var"}) {
      TensorMap broken = named("module.");
      torch::Tensor tensor = broken.at(std::string("module.") + name).clone();
      tensor.view(-1)[2] = bad;
      broken[std::string("module.") + name] = tensor;
      EXPECT_THAT(refusal(broken), HasSubstr("weights: 1 of the " + std::to_string(tensor.numel()) +
                                             " values of \"module." + name + "\" are no finite numbers"));
    }
  }
}

}  // namespace
}  // namespace glidepath
