// src/loop/final_tests.h - the tests at the end: of the last weights and of the best, with running statistics
// of batch norm and with fresh ones.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>

#include "evaluation/fresh_statistics.h"
#include "loop/callbacks/averager.h"
#include "loop/callbacks/evaluator.h"
#include "loop/foreseen_time.h"

namespace glidepath {

/// `val` is of the held out images, where there are any. Without `test` there was no time for it.
struct Tested {
  std::optional<Evaluation> val, test;
};

/// How some weights do with running statistics of batch norm and with those that results are of; and the
/// weights, with the statistics that are saved.
struct WeightTests {
  Tested running, chosen;
  Tested over_views;  ///< as chosen, over the views of test_augment; empty without
  TensorMap weights;
};

/// `best`: where they are not the last. `average`: of the weights on the way, where it was asked for.
struct FinalTests {
  WeightTests last;
  std::optional<WeightTests> best, average;
};

class FinalTester {
 public:
  FinalTester(Run& run, EndingCost& ending, Evaluator& evaluator, Averager& averager, Stopper& stopper)
      : run_(run), ending_(ending), evaluator_(evaluator), averager_(averager), stopper_(stopper) {}

  /// Images that the fresh statistics are of; 0: none are estimated.
  std::int64_t images_of_estimate() const;
  /// Whether running statistics are tested too: what comes beside the fresh ones is left out where it would
  /// cost much of a clock's budget.
  bool tests_running() const;
  /// What all of it will take, from a few batches of each. The model is as before afterwards.
  void time();
  FinalTests test();

 private:
  void estimate(FreshStatistics& fresh, std::int64_t images,
                const std::function<void()>& between_batches = {});
  std::int64_t pieces_of_batch() const;
  std::int64_t batch_of_estimate() const;
  double seconds_of_estimate();
  static void stop_for(int signal);
  WeightTests test_weights(const Tested& running, const std::function<void()>& look);
  std::optional<Evaluation> test_running(const std::function<void()>& look);
  /// As the model stands now.
  Tested test_over_views(const std::function<void()>& look);
  FinalTests test_all();
  std::optional<WeightTests> test_average(const std::function<void()>& look);

  Run& run_;
  EndingCost& ending_;
  Evaluator& evaluator_;
  Averager& averager_;
  Stopper& stopper_;
  ForeseenTime evaluation_time_, estimate_time_;
  bool running_is_cheap_ = false;  // of a clock's budget: what tests_running() costs
};

}  // namespace glidepath
