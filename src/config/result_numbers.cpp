// src/config/result_numbers.cpp - the one table of the numbers that a run comes to.
#include "config/result_numbers.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "config/task_facts.h"

namespace glidepath {
namespace {

using Found = std::optional<ResultValue>;

template <auto Member>
Found always(const TrainResult& result) {
  return result.*Member;
}

// An accuracy may be NaN, of a task that knows none; then there is a loss all the same.
template <auto Member>
Found with_running(const TrainResult& result) {
  return !(result.test_accuracy_running < 0) ? Found(result.*Member) : std::nullopt;
}

template <auto Member>
Found with_val(const TrainResult& result) {
  return result.val_images > 0 ? Found(result.*Member) : std::nullopt;
}

template <auto Member>
Found with_best(const TrainResult& result) {
  return result.best ? Found((*result.best).*Member) : std::nullopt;
}

/// A score of some weights; one on held out images only where there were any.
template <auto Scored, auto Member>
Found scored(const TrainResult& result) {
  const std::optional<Scores>& scores = result.*Scored;
  return scores ? Found((*scores).*Member) : std::nullopt;
}

template <auto Scored, auto Member>
Found scored_on_val(const TrainResult& result) {
  return result.val_images > 0 ? scored<Scored, Member>(result) : std::nullopt;
}

Found best_test_running(const TrainResult& result) {
  return result.best && !(result.best->test_accuracy_running < 0) ? Found(result.best->test_accuracy_running)
                                                                  : std::nullopt;
}

std::vector<ResultNumber> numbers_of_all() {
  using K = NumberKind;
  using P = SummaryPart;
  using S = Stored;
  using Result = TrainResult;
  using Best = BestResult;
  return {
      {"test_accuracy", K::kAccuracy, P::kTraining, S::kColumn, "test accuracy",
       always<&Result::test_accuracy>},
      {"test_loss", K::kLoss, P::kTraining, S::kColumn, "test loss", always<&Result::test_loss>},
      {"bn_images", K::kCount, P::kTraining, S::kNot,
       "training images that batch norm's fresh statistics are of; 0: none", always<&Result::bn_images>},
      {"val_images", K::kCount, P::kTraining, S::kNot, "images held out; 0: none",
       always<&Result::val_images>},
      {"train_accuracy", K::kAccuracy, P::kTraining, S::kColumn,
       "training accuracy in the mean over the last epoch's updates", always<&Result::train_accuracy>},
      {"train_loss", K::kLoss, P::kTraining, S::kColumn,
       "training loss in the mean over the last epoch's updates", always<&Result::train_loss>},
      {"updates", K::kCount, P::kTraining, S::kColumn, "updates made", always<&Result::updates>},
      {"steps_per_epoch", K::kCount, P::kTraining, S::kNot, "updates that an epoch has",
       always<&Result::steps_per_epoch>},
      {"epochs", K::kAmount, P::kTraining, S::kColumn, "epochs trained", always<&Result::epochs>},
      {"last_update_lr", K::kAmount, P::kTraining, S::kNot, "learning rate of the last update",
       always<&Result::last_update_lr>},
      {"final_lr", K::kAmount, P::kTraining, S::kNot, "learning rate at the schedule's end",
       always<&Result::final_lr>},
      {"flops", K::kAmount, P::kSpent, S::kNot,
       "floating-point operations of all updates, forward and backward", always<&Result::flops>},
      {"rewinds", K::kCount, P::kCost, S::kNot, "times that it diverged and went back",
       always<&Result::rewinds>},
      {"skipped_updates", K::kCount, P::kCost, S::kNot,
       "updates that an overflow of the scaled loss left out", always<&Result::skipped_updates>},
      {"seconds", K::kAmount, P::kCost, S::kColumn,
       "seconds of everything: loading, training, tests, writing", always<&Result::seconds>},
      {"images_per_second", K::kAmount, P::kCost, S::kColumn, "images a second in updates, tests left out",
       always<&Result::images_per_second>},
      {"peak_memory_mib", K::kAmount, P::kCost, S::kColumn, "MiB of the largest resident set of the process",
       always<&Result::peak_memory_mib>},
      {"threads", K::kCount, P::kProcesses, S::kNot, "threads of each process", always<&Result::threads>},
      {"ranks", K::kCount, P::kProcesses, S::kNot, "processes that trained together", always<&Result::ranks>},
      {"test_accuracy_running", K::kAccuracy, P::kTests, S::kScore, "test accuracy with running statistics",
       with_running<&Result::test_accuracy_running>},
      {"test_loss_running", K::kLoss, P::kTests, S::kScore, "test loss with running statistics",
       with_running<&Result::test_loss_running>},
      {"val_accuracy", K::kAccuracy, P::kTests, S::kScore, "validation accuracy",
       with_val<&Result::val_accuracy>},
      {"val_loss", K::kLoss, P::kTests, S::kScore, "validation loss", with_val<&Result::val_loss>},
      {"val_accuracy_running", K::kAccuracy, P::kTests, S::kScore,
       "validation accuracy with running statistics", with_val<&Result::val_accuracy_running>},
      {"val_loss_running", K::kLoss, P::kTests, S::kScore, "validation loss with running statistics",
       with_val<&Result::val_loss_running>},
      {"tta_test_accuracy", K::kAccuracy, P::kTests, S::kScore, "test accuracy over several views",
       scored<&Result::over_views, &Scores::test_accuracy>},
      {"tta_test_loss", K::kLoss, P::kTests, S::kScore, "test loss over several views",
       scored<&Result::over_views, &Scores::test_loss>},
      {"tta_val_accuracy", K::kAccuracy, P::kTests, S::kScore, "validation accuracy over several views",
       scored_on_val<&Result::over_views, &Scores::val_accuracy>},
      {"tta_val_loss", K::kLoss, P::kTests, S::kScore, "validation loss over several views",
       scored_on_val<&Result::over_views, &Scores::val_loss>},
      {"average_test_accuracy", K::kAccuracy, P::kTests, S::kScore, "test accuracy of the averaged weights",
       scored<&Result::average, &Scores::test_accuracy>},
      {"average_test_loss", K::kLoss, P::kTests, S::kScore, "test loss of the averaged weights",
       scored<&Result::average, &Scores::test_loss>},
      {"average_val_accuracy", K::kAccuracy, P::kTests, S::kScore,
       "validation accuracy of the averaged weights", scored_on_val<&Result::average, &Scores::val_accuracy>},
      {"average_val_loss", K::kLoss, P::kTests, S::kScore, "validation loss of the averaged weights",
       scored_on_val<&Result::average, &Scores::val_loss>},
      {"average_tta_test_accuracy", K::kAccuracy, P::kTests, S::kScore,
       "test accuracy of the averaged weights over several views",
       scored<&Result::average_over_views, &Scores::test_accuracy>},
      {"average_tta_test_loss", K::kLoss, P::kTests, S::kScore,
       "test loss of the averaged weights over several views",
       scored<&Result::average_over_views, &Scores::test_loss>},
      {"average_tta_val_accuracy", K::kAccuracy, P::kTests, S::kScore,
       "validation accuracy of the averaged weights over several views",
       scored_on_val<&Result::average_over_views, &Scores::val_accuracy>},
      {"average_tta_val_loss", K::kLoss, P::kTests, S::kScore,
       "validation loss of the averaged weights over several views",
       scored_on_val<&Result::average_over_views, &Scores::val_loss>},
      {"best_test_accuracy", K::kAccuracy, P::kBestTests, S::kScore,
       "test accuracy of the best weights on images held out", with_best<&Best::test_accuracy>},
      {"best_test_accuracy_running", K::kAccuracy, P::kBestTests, S::kScore,
       "test accuracy of the best weights on images held out with running statistics", best_test_running},
      {"best_update", K::kCount, P::kBest, S::kNot, "updates made when these weights were tested",
       with_best<&Best::update>},
      {"best_val_accuracy", K::kAccuracy, P::kBest, S::kScore,
       "validation accuracy of the best weights on images held out", with_best<&Best::val_accuracy>},
      {"best_val_accuracy_running", K::kAccuracy, P::kBest, S::kScore,
       "validation accuracy of the best weights on images held out with running statistics",
       with_best<&Best::val_accuracy_running>},
  };
}

/// A metric of a task, of some weights on some images.
ResultNumber metric_number(const MetricFacts& metric, const std::string& before, const std::string& after,
                           const std::string& what) {
  const std::string name = before + metric.name + after;
  return {name,
          metric.is_share ? NumberKind::kAccuracy : NumberKind::kLoss,
          SummaryPart::kTests,
          Stored::kScore,
          what,
          [name](const TrainResult& result) -> Found {
            for (const ToldMetric& told : result.metrics) {
              if (told.name == name) return told.value;
            }
            return std::nullopt;
          },
          true};
}

void add_metrics(std::vector<ResultNumber>& numbers) {
  for (const MetricFacts& metric : metric_facts()) {
    const auto add = [&](const char* before, const char* after, const char* what) {
      numbers.push_back(metric_number(metric, before, after, fmt::format(fmt::runtime(what), metric.what)));
    };
    add("test_", "", "test {}");
    add("test_", "_running", "test {} with running statistics");
    add("val_", "", "validation {}");
    add("val_", "_running", "validation {} with running statistics");
    add("average_test_", "", "test {} of the averaged weights");
    add("average_val_", "", "validation {} of the averaged weights");
    add("best_test_", "", "test {} of the best weights on images held out");
    add("best_val_", "", "validation {} of the best weights on images held out");
  }
}

}  // namespace

const std::vector<ResultNumber>& result_numbers() {
  static const std::vector<ResultNumber> numbers = [] {
    std::vector<ResultNumber> all = numbers_of_all();
    add_metrics(all);
    return all;
  }();
  return numbers;
}

const ResultNumber* find_result_number(const std::string& name) {
  const std::vector<ResultNumber>& all = result_numbers();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const ResultNumber& number) { return number.name == name; });
  return found == all.end() ? nullptr : &*found;
}

bool is_plausible(NumberKind kind, double value) {
  if (!std::isfinite(value) || value < 0) return false;
  if (kind == NumberKind::kAccuracy) return value <= 1;
  return kind != NumberKind::kCount || value == std::floor(value);
}

}  // namespace glidepath
