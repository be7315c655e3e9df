// src/loop/feed/run_data.cpp - the data set of a run, on its way to be trained on.
#include "loop/feed/run_data.h"

#include "files/patience.h"
#include "setup/run_setup.h"

namespace glidepath {
namespace {

/// Who is told of data that are waited for: of many processes one on each machine, as disks are theirs.
DataWatch::Tell data_news(const TrainOptions& options, const Ranks& ranks) {
  if (ranks.is_first()) return options.on_warning;
  if (!ranks.is_first_here() || !options.on_warning) return {};
  return
      [warn = options.on_warning, name = ranks.name()](const std::string& text) { warn(name + ": " + text); };
}

}  // namespace

RunData::RunData(const TrainConfig& config, const std::optional<Dataset>& own, const TrainOptions& options,
                 const Ranks& ranks, const ComputePlan& plan)
    : set(placed(own ? limited(*own, config, &record)
                     : load_limited(ranks.config_here(config), &record, data_news(options, ranks)),
                 config, plan)),
      watch(set, data_news(options, ranks), ranks.is_first() ? options.on_warning : nullptr) {}

}  // namespace glidepath
