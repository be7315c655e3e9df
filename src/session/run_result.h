// src/session/run_result.h - what a run comes to, and the files that say so.
#pragma once
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "glidepath/train.h"
#include "loop/callbacks/callbacks.h"
#include "loop/divergence.h"
#include "loop/final_tests.h"
#include "loop/run.h"

namespace glidepath {

class RunResult {
 public:
  RunResult(Run& run, Callbacks& callbacks) : run_(run), callbacks_(callbacks) {}

  void set_rewinds(std::int64_t count) { result_.rewinds = count; }
  void set_skipped_updates(std::int64_t count) { skipped_updates_ = count; }

  /// Of a run that has ended: tests it, and saves models and summary.
  TrainResult finish();
  /// The summary alone of one that cannot go on.
  void save_diverged(const Diverged& divergence);

 private:
  void tell_training();
  void tell_tests(const FinalTests& tests);
  void tell_best(const FinalTests& tests);
  void save(const FinalTests& tests);
  nlohmann::ordered_json summary(const std::string& status) const;
  void add_tests(nlohmann::ordered_json& summary) const;

  Run& run_;
  Callbacks& callbacks_;
  TrainResult result_;
  std::int64_t skipped_updates_ = 0;  // by overflow of a scaled loss
};

}  // namespace glidepath
