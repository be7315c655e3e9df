// src/session/predict_own.h - predictions of runs on images with masks, and on text.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "glidepath/predict.h"
#include "glidepath/train_config.h"
#include "run/run_weights.h"

namespace glidepath {

/// As predict(), of a run whose data are files of one's own.
void predict_own(const RunWeights& weights, const TrainConfig& config, const std::vector<std::string>& given,
                 const PredictOptions& options, const std::function<void(const Prediction&)>& on_prediction);

}  // namespace glidepath
