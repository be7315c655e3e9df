// src/evaluation/evaluate.h - loss and accuracy of a model on a split.
#pragma once
#include <functional>
#include <vector>

#include "compute/device.h"
#include "evaluation/confusion.h"
#include "evaluation/test_views.h"
#include "glidepath/dataset.h"
#include "glidepath/model.h"
#include "glidepath/task.h"
#include "glidepath/train.h"
#include "ranks/ranks.h"

namespace glidepath {

struct Evaluation {
  double loss = 0;                   ///< of the task, in the mean over its terms; without label smoothing
  double accuracy = 0;               ///< the share that is right, in [0, 1]; NaN for a task that knows none
  std::vector<double> metrics = {};  ///< of the task, in its order
};

/// A metric and what it came to, by its own name.
ToldMetric told_metric(const Metric& metric, double value);

/// By the task's score; by the loss for one without metrics. Nothing is better than a score that is no
/// number.
bool is_better(const Task& task, const Evaluation& one, const Evaluation& other);

/// Every image of the split that can be decoded once, in evaluation mode (running statistics of batch norm),
/// sums kept in double. Leaves the model in the mode that it was in. `between_batches`, where given, is
/// called before every batch; what it throws ends the evaluation. Every rank takes its part of the images and
/// gets the result of all, and `between_batches` is called equally often on each. `confusion`, where given,
/// gets every image that was looked at here.
Evaluation evaluate(Model& model, const Task& task, const Dataset& dataset, const Split& split,
                    std::int64_t batch_size, const ComputePlan& plan, const Ranks& ranks,
                    const std::function<void()>& between_batches = {}, TestViews views = TestViews::kOne,
                    Confusion* confusion = nullptr);

}  // namespace glidepath
