// tests/loop/loss_window_test.cpp - the window of recent updates against sums over a plain list.
#include "loop/loss_window.h"

#include <vector>

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

TEST(LossWindow, EqualsBruteForceOverAnyRecentUpdates) {
  at::manual_seed(3);
  LossWindow window(7);
  struct Update {
    double loss, correct, images;
  };
  std::vector<Update> all;
  for (int step = 0; step < 30; ++step) {
    const auto images = step % 7 == 6 ? 80 : 128;  // an epoch's last batch is smaller
    const auto loss = torch::rand({});
    const auto correct = torch::randint(0, images, {}, torch::kInt64);
    window.add(loss, correct, images);
    all.push_back({loss.item<double>(), correct.item<double>(), static_cast<double>(images)});
    for (std::size_t count : {1U, 3U, 7U, 50U}) {
      const std::size_t used = std::min({count, all.size(), std::size_t{7}});
      double loss_sum = 0, correct_sum = 0, images_sum = 0;
      for (std::size_t i = all.size() - used; i < all.size(); ++i) {
        loss_sum += all[i].loss * all[i].images;
        correct_sum += all[i].correct;
        images_sum += all[i].images;
      }
      const auto mean = window.mean(static_cast<std::int64_t>(count));
      EXPECT_NEAR(mean.loss, loss_sum / images_sum, 1e-12);
      EXPECT_NEAR(mean.accuracy, correct_sum / images_sum, 1e-12);
    }
  }
}

TEST(LossWindow, EmptyWindowHasZeroMeans) {
  LossWindow window(4);
  EXPECT_EQ(window.mean(4).loss, 0);
}

TEST(LossWindow, StateGoesIntoACheckpointAndBack) {
  LossWindow first(5), second(5);
  for (int step = 0; step < 8; ++step) first.add(torch::tensor(0.5 + step), torch::tensor(step), 16);
  second.set_state(first.state());
  for (int step = 0; step < 3; ++step) {
    for (auto* window : {&first, &second}) window->add(torch::tensor(0.1 * step), torch::tensor(9 - step), 8);
    for (int count = 1; count <= 5; ++count) {
      EXPECT_EQ(first.mean(count).loss, second.mean(count).loss);
      EXPECT_EQ(first.mean(count).accuracy, second.mean(count).accuracy);
    }
  }
}

TEST(LossWindow, RefusesTheStateOfAnotherRun) {
  LossWindow window(5);
  EXPECT_THROW(window.set_state(torch::zeros({3, 9}, torch::kFloat64)), InputError);
  EXPECT_THROW(window.set_state(torch::zeros({3, 6})), InputError);
}

}  // namespace
}  // namespace glidepath
