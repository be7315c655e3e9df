// src/session/train.cpp - train(), and what programs do around it.
#include "glidepath/train.h"

#include <new>
#include <string_view>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <fmt/format.h>
#include <torch/types.h>

#include "config/own_programs.h"
#include "core/blame.h"
#include "core/own_name.h"
#include "files/read_file.h"
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

/// Which programs of the user's own the run is of: what they are now, or what they were when it began.
void identify(TrainConfig& config, const TrainOptions& options) {
  if (!options.resume) {
    KnownHashes known;
    return identify_programs(config, known);
  }
  const std::filesystem::path run = folder_to_resume(options);
  if (!is_there(run / "config.toml")) return;  // to be refused, or rank 0's alone
  const TrainConfig begun = read_run_config(run);
  for (auto hash : {&TrainConfig::model_sha256, &TrainConfig::plugin_sha256}) {
    if ((config.*hash).empty()) config.*hash = begun.*hash;
  }
  blame(fmt::format("--resume {}:", run.string()).c_str(), [&] { with_programs_of_run(config, run); });
  const std::string changed = changed_since(config, run);
  if (!changed.empty() && options.on_note) options.on_note(changed);
}

/// Runs `work` on a session; a machine that has not enough memory is said to be that.
template <typename Work>
auto with_session(Experiment experiment, const TrainOptions& options, Work work) {
  TrainConfig& config = experiment.config;
  const TrainConfig defaults;
  identify(config, options);
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
