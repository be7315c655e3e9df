// tests/ranks/gradient_reducer_test.cpp - collectives and gradients of ranks that are threads here.
#include "ranks/gradient_reducer.h"

#include <filesystem>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "support/temporary_folder.h"

namespace glidepath {
namespace {

Place place_in(const TemporaryFolder& folder, int ranks) {
  Place place;
  place.world_size = ranks;
  place.master_address = "127.0.0.1";
  place.meeting_file = (folder.path() / "meeting").string();
  return place;
}

/// Runs `work` as every rank of a job and waits for all.
void as_ranks(int ranks, const std::function<void(ProcessGroup&)>& work) {
  if (!ProcessGroup::is_available()) GTEST_SKIP() << "this build has no c10d with Gloo";
  const TemporaryFolder folder("ranks");
  const Place place = place_in(folder, ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    Place own = place;
    own.rank = rank;
    threads.emplace_back([own, &work] {
      const auto group = ProcessGroup::join(own);
      work(*group);
      group->leave();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(std::filesystem::exists(place.meeting_file));
}

TEST(ProcessGroup, AddsUpBroadcastsAndKnowsItsPlace) {
  as_ranks(3, [](ProcessGroup& group) {
    EXPECT_EQ(group.size(), 3);
    EXPECT_EQ(group.local_rank(), group.rank());
    EXPECT_EQ(group.local_size(), 3);
    auto sum = torch::full({5}, group.rank() + 1.0, torch::kFloat64);
    auto pending = group.all_reduce_later(sum);
    pending.wait();
    EXPECT_TRUE(torch::equal(sum, torch::full({5}, 6.0, torch::kFloat64)));
    auto value = torch::full({2}, group.rank() + 7);
    group.broadcast(value);
    EXPECT_TRUE(torch::equal(value, torch::full({2}, 7)));
    EXPECT_EQ(group.broadcast(group.rank() == 0 ? std::string("from 0\0!", 8) : std::string()),
              std::string("from 0\0!", 8));
    EXPECT_EQ(group.broadcast(std::string()), "");
    const std::vector<std::string> all = {"of 0", "", std::string("\xff\0 of 2", 7)};
    EXPECT_EQ(group.all_gather(all[static_cast<std::size_t>(group.rank())]), all);
    EXPECT_EQ(group.all_gather(""), std::vector<std::string>(3));
    group.barrier();
  });
}

TEST(ProcessGroup, TellsAllWhyOneFails) {
  std::mutex mutex;
  std::vector<std::string> told;
  if (!ProcessGroup::is_available()) GTEST_SKIP() << "this build has no c10d with Gloo";
  const TemporaryFolder folder("ranks");
  const Place place = place_in(folder, 3);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 3; ++rank) {
    Place own = place;
    own.rank = rank;
    threads.emplace_back([&, own] {
      const auto group = ProcessGroup::join(own);
      if (own.rank == 1) return group->fail("its disk is full", 2);
      try {
        group->barrier();
        ADD_FAILURE();
      } catch (const RankFailed& failure) {
        const std::lock_guard<std::mutex> lock(mutex);
        told.push_back(failure.what());
        EXPECT_EQ(failure.exit_status(), 2);
        EXPECT_EQ(group->speaks(), own.rank == 0);
      }
      if (own.rank == 0) std::this_thread::sleep_for(std::chrono::seconds(2));
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(told.size(), 2U);
  for (const std::string& text : told) {
    EXPECT_THAT(text, testing::StartsWith("rank 1 (host "));
    EXPECT_THAT(text, testing::HasSubstr(" stopped: its disk is full"));
  }
}

// The gradient of a sum over ranks is known in closed form; buckets of every size give the same.
TEST(GradientReducer, GivesTheSumInEveryBucketing) {
  for (const std::int64_t bytes : {4, 100, 1 << 20}) {
    as_ranks(2, [bytes](ProcessGroup& group) {
      const auto options = torch::requires_grad();
      const auto a = torch::ones({3}, options), unused = torch::ones({2}, options),
                 b = torch::ones({40}, options);
      const auto image_like =
          torch::ones({2, 3, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
      GradientReducer reducer(group, {a, unused, b, image_like}, bytes, bytes);
      if (bytes != 100) {
        EXPECT_EQ(reducer.buckets(), bytes == 4 ? 4U : 1U);
      }
      const double factor = group.rank() + 1;  // 1 and 2: 3 together
      for (int update = 1; update <= 2; ++update) {
        for (const auto& parameter : {a, unused, b, image_like}) parameter.mutable_grad() = torch::Tensor();
        reducer.begin();
        (factor * update * (2 * a.sum() + a.sum() + b.square().sum() + image_like.square().sum())).backward();
        reducer.finish();
        EXPECT_TRUE(torch::equal(a.grad(), torch::full({3}, 9.0 * update)));
        EXPECT_TRUE(torch::equal(b.grad(), torch::full({40}, 6.0 * update)));
        EXPECT_TRUE(torch::equal(unused.grad(), torch::zeros({2})));
        EXPECT_TRUE(torch::equal(image_like.grad(), torch::full({2, 3, 4, 4}, 6.0 * update)));
        EXPECT_EQ(image_like.grad().strides(), image_like.strides());
      }
      // Outside of an update other backward passes are left alone.
      b.mutable_grad() = torch::Tensor();
      (factor * b.sum()).backward();
      EXPECT_TRUE(torch::equal(b.grad(), torch::full({40}, factor)));
    });
  }
}

// Of passes over pieces of a batch: what was there is part of the sum, also where the last pass gives
// nothing.
TEST(GradientReducer, AddsToWhatEarlierPassesLeft) {
  as_ranks(2, [](ProcessGroup& group) {
    const auto a = torch::ones({3}, torch::requires_grad()), b = torch::ones({2}, torch::requires_grad());
    GradientReducer reducer(group, {a, b});
    const double factor = group.rank() + 1;
    (factor * (a.sum() + b.sum())).backward();
    reducer.begin(/*adds=*/true);
    (10 * factor * a.sum()).backward();
    reducer.finish();
    EXPECT_TRUE(torch::equal(a.grad(), torch::full({3}, 33.0)));
    EXPECT_TRUE(torch::equal(b.grad(), torch::full({2}, 3.0)));
  });
}

// A rank without images has no backward pass, and counts as zeros.
TEST(GradientReducer, TakesARankWithoutABackwardPass) {
  as_ranks(2, [](ProcessGroup& group) {
    const auto a = torch::ones({3}, torch::requires_grad());
    GradientReducer reducer(group, {a});
    reducer.begin();
    if (group.rank() == 0) (5 * a.sum()).backward();
    reducer.finish();
    EXPECT_TRUE(torch::equal(a.grad(), torch::full({3}, 5.0)));
  });
}

}  // namespace
}  // namespace glidepath
