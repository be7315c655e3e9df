// src/cli/study_run.cpp - a study's runs done with their progress on standard error, as several commands do.
#include "cli/study_run.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <tuple>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/terminal/live_block.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "glidepath/data_choice.h"
#include "glidepath/error.h"
#include "study/execute/progress.h"
#include "study/results/run_words.h"

namespace glidepath::cli {

std::pair<std::string, std::string> parse_setting(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("--set \"{}\": must be key=value, for example --set model=resnet20", text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

StudyResults run_with_progress(const StudyPlan& plan, StudyOptions options, bool quiet) {
  catch_stop_signals("stopping once the runs in hand are saved; Ctrl-C again ends at once\n");
  options.stop_signal = stop_signal;
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  LiveBlock block(stderr, is_terminal && !quiet);
  if (!quiet) {
    options.on_note = [](const std::string& line) {
      std::fprintf(stderr, "%s\n", terminal_text(line).c_str());
    };
    options.on_finished = [&](const RunRecord& run, const StudyProgress& progress) {
      block.clear();
      std::fprintf(stderr, "%s\n", finished_line(run, progress, plan.axes).c_str());
    };
    if (is_terminal) {
      options.on_progress = [&](const StudyProgress& progress) {
        block.show(live_lines(progress, plan.axes, block.width()));
      };
    }
  }
  return run_study(plan, options);
}

void check_data(const StudyPlan& plan) {
  std::set<std::tuple<std::string, std::string, std::string>> needed;
  for (const TrainConfig& run : plan.runs) needed.emplace(run.data, run.data_dir, run.split);
  for (const auto& [name, folder, split] : needed) {
    DataChoice choice;
    choice.split = split;
    require_dataset(name, folder, choice);
  }
}

void refuse_failures(const StudyResults& results, const char* remedy) {
  const auto is_failed = [](const RunRecord& run) { return run.status == RunStatus::kFailed; };
  const auto count = std::count_if(results.runs.begin(), results.runs.end(), is_failed);
  if (count == 0) return;
  const auto first = std::find_if(results.runs.begin(), results.runs.end(), is_failed);
  throw RunError(fmt::format("{} of {} runs failed, the first is {} ({}): {}; {}", count, results.runs.size(),
                             first->id, run_label(first->config, results.axes), first->error, remedy));
}

}  // namespace glidepath::cli
