// src/session/run_result.h - what a run comes to, and the files that say so.
#pragma once
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "config/result_numbers.h"
#include "glidepath/train.h"
#include "loop/callbacks/callbacks.h"
#include "loop/divergence.h"
#include "loop/final_tests.h"
#include "loop/run.h"

namespace glidepath {

class RunResult {
 public:
  RunResult(Run& run, Callbacks& callbacks);

  void set_rewinds(std::int64_t count) { result_.rewinds = count; }
  void set_skipped_updates(std::int64_t count) { result_.skipped_updates = count; }

  /// Of a run that has ended: tests it, and saves models and summary.
  TrainResult finish();
  /// The summary alone of one that cannot go on.
  void save_diverged(const Diverged& divergence);

 private:
  void tell_training();
  void tell_tests(const FinalTests& tests);
  void tell_metrics(const FinalTests& tests);
  void tell_best(const FinalTests& tests);
  void save(const FinalTests& tests);
  nlohmann::ordered_json summary(const std::string& status) const;
  void add(nlohmann::ordered_json& summary, SummaryPart part) const;

  Run& run_;
  Callbacks& callbacks_;
  TrainResult result_;
};

}  // namespace glidepath
