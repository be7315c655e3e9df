// src/evaluation/forward.h - a model's outputs, as training, tests and measures all compute them.
#pragma once
#include "compute/device.h"
#include "glidepath/model.h"
#include "glidepath/task.h"

namespace glidepath {

/// In the precision of the plan; those of floating point are float32. `inputs` are on its device.
Values outputs_of(Model& model, const Values& inputs, const ComputePlan& plan);

/// Right answers, 0-dim: NaN for a task that knows none.
torch::Tensor right_of(const Task& task, const Values& outputs, const Batch& batch);

}  // namespace glidepath
