// include/glidepath/metric.h - what tests tell beside the loss: numbers of a task's outputs.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include <torch/types.h>

#include "glidepath/batch.h"

namespace glidepath {

/// A number over a whole split, from sums that batches and ranks add to. One without sums is made of the mean
/// loss alone; one called "accuracy" without both functions is the share of Task::correct() in Task::terms().
struct Metric {
  std::string name;  ///< letters, digits and _; summary.json has it as test_NAME
  bool higher_is_better = true;
  bool is_share = true;   ///< in [0, 1], and told in percent
  std::int64_t size = 0;  ///< how many sums
  /// float64 [size], on any device; of a batch that has examples.
  std::function<torch::Tensor(const Values& outputs, const Batch& batch)> sums = {};
  /// From the sums over all batches, float64 [size] on the CPU, and the mean loss over the terms.
  std::function<double(const torch::Tensor& sums, double loss)> value = {};
};

/// The share of what Task::correct() counts.
Metric accuracy();
/// The share of examples whose class is among the five of the largest outputs [B, classes].
Metric top5_accuracy();
/// Of outputs [B, classes, ...] and masks int64 [B, ...]: intersection over union of each class, over the
/// whole split, in the mean over the classes that are in a mask or an output (Everingham et al., IJCV 111
/// (2015), section 4.4). Where the mask is `ignored_label` nobody is asked.
Metric mean_iou(std::int64_t classes, std::int64_t ignored_label = -1);
/// Of outputs [B, classes], > 0 for yes, and targets 0 or 1: 2 tp / (2 tp + fp + fn) of each class, in the
/// mean over the classes that were asked for or answered.
Metric mean_f1(std::int64_t classes);
/// exp of the mean loss a token.
Metric perplexity();
/// The mean loss a token in bits, for each byte of text that a token stands for.
Metric bits_per_byte(double bytes_per_token);
/// Root of the mean squared error, and mean absolute error, in the unit of the targets.
Metric root_mean_squared_error();
Metric mean_absolute_error();

}  // namespace glidepath
