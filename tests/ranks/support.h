// tests/ranks/support.h - runs of the real program in several processes, and what they leave.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "support/cifar.h"
#include "support/few_updates.h"
#include "support/run_results.h"

namespace glidepath {

struct Point {
  std::int64_t step;
  double loss, accuracy, lr;
};

class RanksTest : public CliTest {
 protected:
  /// `glidepath launch -n ranks train ...`; of one rank without launch.
  ProcessResult train(int ranks, const std::string& arguments, ProcessOptions options = {}) const {
    options.folder = folder_.string();
    const std::string launch =
        ranks > 1 ? "launch -n " + std::to_string(ranks) + " --threads-per-rank 1 " : "";
    return run_shell("glidepath " + launch + "train --quiet " + arguments, options);
  }
  /// The same, that has to go well.
  void must_train(int ranks, const std::string& arguments) const {
    const ProcessResult result = train(ranks, arguments);
    ASSERT_EQ(result.exit_status, 0) << result.err;
    EXPECT_EQ(without_advice(result.err), "");
  }
  std::vector<Point> points(const std::string& run, const std::string& kind) const {
    std::vector<Point> points;
    for (const auto& json : records_of(folder_ / run, kind))
      points.push_back({json.at("step"), json.at("loss"), json.at("accuracy"), json.at("lr")});
    return points;
  }
  nlohmann::json summary(const std::string& run) const { return summary_of(folder_ / run); }
  /// Losses of every update agree to a share of `tolerance`, accuracies to a few images.
  void expect_same_curve(const std::string& a, const std::string& b, double tolerance,
                         double accuracy_tolerance) const {
    for (const char* kind : {"train", "eval"}) {
      const auto one = points(a, kind), other = points(b, kind);
      ASSERT_EQ(one.size(), other.size()) << kind;
      ASSERT_FALSE(one.empty());
      for (std::size_t i = 0; i < one.size(); ++i) {
        SCOPED_TRACE(testing::Message() << kind << " at update " << one[i].step);
        EXPECT_EQ(one[i].step, other[i].step);
        EXPECT_EQ(one[i].lr, other[i].lr);
        EXPECT_NEAR(one[i].loss, other[i].loss, tolerance * one[i].loss);
        EXPECT_NEAR(one[i].accuracy, other[i].accuracy, accuracy_tolerance);
      }
    }
  }
};

}  // namespace glidepath
