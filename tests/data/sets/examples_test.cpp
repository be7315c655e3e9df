// tests/data/sets/examples_test.cpp - data of one's own, and the batches that are made of them.
#include "glidepath/examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/loader.h"

namespace glidepath {
namespace {

using torch::Tensor;

/// Example i has the inputs i and -i, and the target 10 i.
std::shared_ptr<const Examples> counted(std::int64_t size) {
  const Tensor numbers = torch::arange(size, torch::kFloat32);
  return tensor_examples({numbers.unsqueeze(1), -numbers}, {10 * numbers});
}

LoaderOptions options_with(std::int64_t prefetch, int rank = 0, int ranks = 1) {
  LoaderOptions options;
  options.batch_size = 8;
  options.seed = 3;
  options.prefetch = prefetch;
  options.rank = rank;
  options.ranks = ranks;
  return options;
}

TEST(Examples, EveryEpochVisitsEveryOneOnceWithItsTargets) {
  const Dataset data = own_data(counted(30), counted(5));
  for (const std::int64_t prefetch : {0, 2}) {
    TrainLoader loader(data, options_with(prefetch));
    ASSERT_EQ(loader.steps_per_epoch(), 4);
    std::vector<std::int64_t> seen(30);
    for (int step = 0; step < 4; ++step) {
      const Batch batch = loader.next();
      EXPECT_EQ(batch.examples, step < 3 ? 8 : 6);
      EXPECT_TRUE(torch::equal(batch.inputs[0].squeeze(1), -batch.inputs[1]));
      EXPECT_TRUE(torch::equal(10 * batch.inputs[0].squeeze(1), batch.targets[0]));
      for (std::int64_t i = 0; i < batch.examples; ++i)
        ++seen[static_cast<std::size_t>(batch.inputs[0][i].item<float>())];
    }
    EXPECT_THAT(seen, testing::Each(1));
  }
}

TEST(Examples, RanksTakePartsOfTheSameBatches) {
  const Dataset data = own_data(counted(30), counted(5));
  TrainLoader whole(data, options_with(0));
  TrainLoader first(data, options_with(0, 0, 3)), second(data, options_with(0, 1, 3)),
      third(data, options_with(0, 2, 3));
  for (int step = 0; step < 9; ++step) {
    const Tensor parts =
        torch::cat({first.next().targets[0], second.next().targets[0], third.next().targets[0]});
    EXPECT_TRUE(torch::equal(whole.next().targets[0], parts));
  }
}

// One example and three ranks: two have none, of the right shapes.
TEST(Examples, APartMayBeEmpty) {
  const auto made = function_examples(1, [](std::int64_t, KeyedRandom*) {
    return Example{{torch::ones({3, 4})}, {torch::tensor(7)}};
  });
  LoaderOptions options = options_with(0, 2, 3);
  options.batch_size = 1;
  TrainLoader last(own_data(made, made), options);
  const Batch none = last.next();
  EXPECT_EQ(none.examples, 0);
  EXPECT_EQ(none.inputs[0].sizes(), (std::vector<std::int64_t>{0, 3, 4}));
  EXPECT_EQ(none.targets[0].sizes(), (std::vector<std::int64_t>{0}));
}

TEST(Examples, WhatIsRandomIsAFunctionOfSeedEpochAndExample) {
  const auto noisy = function_examples(12, [](std::int64_t number, KeyedRandom* random) {
    const double noise = random != nullptr ? random->unit() : 0;
    return Example{{torch::tensor(static_cast<double>(number) + noise)}, {}};
  });
  const Dataset data = own_data(noisy, noisy);
  const auto epoch = [&](std::int64_t from, std::int64_t prefetch) {
    LoaderOptions options = options_with(prefetch);
    options.batch_size = 4;
    TrainLoader loader(data, options);
    loader.seek(from);
    std::vector<Tensor> taken;
    for (int step = 0; step < 3; ++step) taken.push_back(loader.next().inputs[0]);
    return std::get<0>(torch::cat(taken).sort());
  };
  EXPECT_TRUE(torch::equal(epoch(3, 0), epoch(3, 2)));
  EXPECT_FALSE(torch::equal(epoch(0, 0), epoch(3, 0)));  // another epoch, other noise
  EXPECT_TRUE(torch::equal(epoch(0, 0).floor(), torch::arange(12, torch::kFloat64)));
  const Batch plain = plain_batch(data, data.test, 2, 4, torch::kFloat32, false);
  EXPECT_TRUE(torch::equal(plain.inputs[0], torch::arange(2, 6, torch::kFloat64)));
}

TEST(Examples, FirstOnesAndSelectedOnesKeepTheirContent) {
  const Dataset data = own_data(counted(30), counted(5));
  const Split first = data.train.first(3);
  EXPECT_EQ(first.size(), 3);
  EXPECT_TRUE(
      torch::equal(first.examples->batch({{2, 0}, false, 0, 0}).targets[0], torch::tensor({20.F, 0.F})));
  const auto some = selected_examples(counted(30), {29, 4});
  EXPECT_TRUE(torch::equal(some->batch({{0, 1}, false, 0, 0}).targets[0], torch::tensor({290.F, 40.F})));
}

TEST(Examples, WhatDoesNotFitIsRefused) {
  const auto refusal = [](const auto& make) -> std::string {
    try {
      make();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal([] {
              tensor_examples({torch::ones({3, 2})}, {torch::ones({4})});
            }),
            "examples: tensors of 3 and of 4 rows; all must have as many");
  EXPECT_EQ(refusal([] { tensor_examples({}, {torch::ones({4})}); }),
            "examples: no inputs; give at least one tensor");
  EXPECT_EQ(refusal([] { tensor_examples({torch::tensor(1)}, {}); }),
            "examples: a tensor without rows; its first dimension must be the examples'");
  EXPECT_EQ(refusal([] { selected_examples(counted(3), {3}); }), "examples: number 3 of 3");
  EXPECT_EQ(refusal([] { own_data(counted(3), nullptr); }),
            "examples: a data set needs some to train on and some to test on");
  EXPECT_EQ(refusal([] { function_examples(0, [](std::int64_t, KeyedRandom*) { return Example{}; }); }),
            "examples: size 0: must be at least 1");
  const auto uneven = function_examples(2, [](std::int64_t number, KeyedRandom*) {
    return Example{{torch::ones({number + 1})}, {}};
  });
  EXPECT_EQ(refusal([&] {
              uneven->batch({{0, 1}, false, 0, 0});
            }),
            "examples: example 1 has other tensors, or of other shapes, than 0");
}

}  // namespace
}  // namespace glidepath
