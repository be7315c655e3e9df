// src/session/train.cpp - train(), and what programs do around it.
#include "glidepath/train.h"

#include <new>
#include <string_view>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <fmt/format.h>
#include <torch/types.h>

#include "core/own_name.h"
#include "glidepath/error.h"
#include "glidepath/plugin.h"
#include "session/session.h"

namespace glidepath {
namespace {

TrainOptions with_clocks(TrainOptions options) {
  if (!options.clock) options.clock = budget_clock_seconds;
  if (!options.wall_clock) options.wall_clock = wall_clock_seconds;
  return options;
}

/// Runs `work` on a session; a machine that has not enough memory is said to be that.
template <typename Work>
auto with_session(Experiment experiment, const TrainOptions& options, Work work) {
  TrainConfig& config = experiment.config;
  const TrainConfig defaults;
  if (!config.plugin.empty()) extend_by_plugin(config.plugin, experiment);
  if (experiment.model && config.model == defaults.model) config.model = kOwnName;
  if (experiment.data && config.data == defaults.data) config.data = kOwnName;
  check_config(config);
  // As files and flags would have given it, so that a run goes on however its values are written.
  for (const ConfigKey& key : train_config_keys())
    set_config_value(config, key.name, config_value(config, key.name));
  const auto out_of_memory = [&] {
    return RunError(
        fmt::format("out of memory with model {} at width {} and batch_size {}; give a smaller one",
                    config.model, config.width, config.batch_size));
  };
  try {
    Session session(experiment, options);
    return work(session);
  } catch (const std::bad_alloc&) {
    throw out_of_memory();
  } catch (const c10::Error& error) {  // LibTorch has no type of its own for this on the CPU
    const std::string_view what = error.what_without_backtrace();
    const bool is_memory =
        what.find("allocate memory") != what.npos || what.find("out of memory") != what.npos;
    if (!is_memory) throw;
    throw out_of_memory();
  }
}

}  // namespace

TrainResult train(const TrainConfig& config, const TrainOptions& options) {
  return train(Experiment{config, {}, {}, {}, {}}, options);
}

TrainResult train(const Experiment& experiment, const TrainOptions& options) {
  return with_session(experiment, with_clocks(options), [](Session& session) { return session.run(); });
}

DryRun dry_run(const TrainConfig& config, const TrainOptions& options) {
  return dry_run(Experiment{config, {}, {}, {}, {}}, options);
}

DryRun dry_run(const Experiment& experiment, const TrainOptions& options) {
  TrainOptions nothing_written = with_clocks(options);
  nothing_written.out.clear();
  nothing_written.resume = false;
  return with_session(experiment, nothing_written, [](Session& session) { return session.estimate(); });
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);  // mapped blocks go back at once, whatever M_MMAP_THRESHOLD says
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace glidepath
