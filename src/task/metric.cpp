// src/task/metric.cpp - numbers of a task's outputs, over a whole split.
#include "glidepath/metric.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <torch/types.h>

namespace glidepath {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

torch::Tensor counts(const torch::Tensor& classes_of, std::int64_t classes) {
  return at::bincount(classes_of.flatten(), {}, classes).to(torch::kFloat64);
}

torch::Tensor total(const torch::Tensor& values) { return values.sum(torch::kFloat64); }

/// Mean over the places whose denominator is not 0.
double mean_share(const torch::Tensor& numerator, const torch::Tensor& denominator) {
  const torch::Tensor is_there = denominator.gt(0);
  const auto places = is_there.sum().item<std::int64_t>();
  if (places == 0) return kNoNumber;
  return (numerator / denominator).masked_select(is_there).sum().item<double>() / static_cast<double>(places);
}

/// The mean over the targets' numbers of what `of` makes of the differences, and what `end` makes of that.
Metric mean_error(const char* name, torch::Tensor (*of)(const torch::Tensor&), double (*end)(double)) {
  Metric metric{name, false, false, 2};
  metric.sums = [of](const Values& outputs, const Batch& batch) {
    const torch::Tensor& targets = batch.targets.front();
    const torch::Tensor differences =
        outputs.front().detach().view_as(targets).to(torch::kFloat64) - targets.to(torch::kFloat64);
    return torch::stack({of(differences).sum(), torch::full({}, targets.numel(), differences.options())});
  };
  metric.value = [end](const torch::Tensor& sums, double) {
    const auto* sum = sums.data_ptr<double>();
    return end(sum[0] / sum[1]);
  };
  return metric;
}

}  // namespace

Metric accuracy() { return {"accuracy"}; }

Metric top5_accuracy() {
  Metric metric{"top5_accuracy", true, true, 2};
  metric.sums = [](const Values& outputs, const Batch& batch) {
    const torch::Tensor best = std::get<1>(outputs.front().topk(5, 1));
    const torch::Tensor right = total(best.eq(batch.labels().unsqueeze(1)));
    return torch::stack({right, torch::full({}, batch.examples, right.options())});
  };
  metric.value = [](const torch::Tensor& sums, double) {
    return sums.data_ptr<double>()[0] / sums.data_ptr<double>()[1];
  };
  return metric;
}

Metric mean_iou(std::int64_t classes, std::int64_t ignored_label) {
  Metric metric{"mean_iou", true, true, 2 * classes};
  metric.sums = [=](const Values& outputs, const Batch& batch) {
    torch::Tensor answers = outputs.front().argmax(1), masks = batch.labels();
    if (ignored_label >= 0) {
      const torch::Tensor asked = masks.ne(ignored_label);
      answers = answers.masked_select(asked);
      masks = masks.masked_select(asked);
    }
    const torch::Tensor both = counts(masks.masked_select(answers.eq(masks)), classes);
    return torch::cat({both, counts(answers, classes) + counts(masks, classes) - both});
  };
  metric.value = [=](const torch::Tensor& sums, double) {
    return mean_share(sums.narrow(0, 0, classes), sums.narrow(0, classes, classes));
  };
  return metric;
}

Metric mean_f1(std::int64_t classes) {
  Metric metric{"mean_f1", true, true, 2 * classes};
  metric.sums = [](const Values& outputs, const Batch& batch) {
    const torch::Tensor yes = outputs.front().gt(0), is = batch.targets.front().gt(0);
    const auto down = [](const torch::Tensor& values) {
      return values.sum(std::vector<std::int64_t>{0}, false, torch::kFloat64);
    };
    return torch::cat({2 * down(yes.logical_and(is)), down(yes) + down(is)});  // 2 tp + fp + fn
  };
  metric.value = [=](const torch::Tensor& sums, double) {
    return mean_share(sums.narrow(0, 0, classes), sums.narrow(0, classes, classes));
  };
  return metric;
}

Metric perplexity() {
  Metric metric{"perplexity", false, false};
  metric.value = [](const torch::Tensor&, double loss) { return std::exp(loss); };
  return metric;
}

Metric bits_per_byte(double bytes_per_token) {
  Metric metric{"bits_per_byte", false, false};
  metric.value = [=](const torch::Tensor&, double loss) { return loss / std::log(2.0) / bytes_per_token; };
  return metric;
}

Metric root_mean_squared_error() {
  return mean_error(
      "rmse", [](const torch::Tensor& d) { return d.square(); }, [](double mean) { return std::sqrt(mean); });
}

Metric mean_absolute_error() {
  return mean_error(
      "mae", [](const torch::Tensor& d) { return d.abs(); }, [](double mean) { return mean; });
}

}  // namespace glidepath
