// src/study/cluster/script.cpp - the sbatch script of a job array.
#include "study/cluster/script.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// In double quotes on a line of #SBATCH, where % begins a pattern and \ turns patterns off.
std::string sbatch_path(const fs::path& path) {
  const std::string text = path.string();
  const auto is_bad = [](char c) {
    return c == '"' || c == '\\' || c == '%' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), is_bad)) {
    throw InputError(
        fmt::format("{}: sbatch takes no path with a quote, \\, % or a control character", text));
  }
  return '"' + text + '"';
}

/// One word for the shell, whatever it holds.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

/// Seconds of MM, MM:SS, HH:MM:SS, D-HH, D-HH:MM and D-HH:MM:SS.
double seconds_of(const std::string& time) {
  double days = 0;
  std::string rest = time;
  const auto dash = time.find('-');
  if (dash != std::string::npos) {
    days = std::atof(time.substr(0, dash).c_str());
    rest = time.substr(dash + 1);
  }
  std::vector<double> parts(1, 0);
  for (const char c : rest) {
    if (c == ':') {
      parts.push_back(0);
    } else {
      parts.back() = parts.back() * 10 + (c - '0');
    }
  }
  const double first = dash != std::string::npos ? 3600 : parts.size() == 3 ? 3600 : 60;
  double seconds = days * 86400, unit = first;
  for (const double part : parts) {
    seconds += part * unit;
    unit /= 60;
  }
  return seconds;
}

}  // namespace

std::int64_t warning_seconds(const std::string& time) {
  constexpr double kShare = 0.2, kLeast = 10, kMost = 120;
  if (time.empty()) return static_cast<std::int64_t>(kMost);
  return static_cast<std::int64_t>(std::clamp(kShare * seconds_of(time), kLeast, kMost));
}

std::string job_script(const ScriptOptions& options) {
  const SlurmSettings& slurm = options.slurm;
  const fs::path folder = options.study / "cluster" / options.array;
  std::string script =
      "#!/bin/bash\n"
      "# A job array of a study, written by glidepath study. Line N + 1 of tasks.txt beside this file names "
      "the\n"
      "# runs of task N.\n";
  const auto directive = [&](const std::string& text) { script += "#SBATCH " + text + "\n"; };
  directive("--job-name=" + options.job_name);
  const std::string limit = slurm.array_limit > 0 ? fmt::format("%{}", slurm.array_limit) : "";
  directive(fmt::format("--array=0-{}{}", options.tasks - 1, limit));
  directive("--ntasks=1");
  directive(fmt::format("--cpus-per-task={}", options.cpus));
  if (!slurm.partition.empty()) directive("--partition=" + slurm.partition);
  if (!slurm.time.empty()) directive("--time=" + slurm.time);
  if (!slurm.mem.empty()) directive("--mem=" + slurm.mem);
  if (slurm.gpus > 0) directive(fmt::format("--gres=gpu:{}", slurm.gpus));
  for (const std::string& option : slurm.sbatch_options) directive(option);
  directive("--chdir=" + sbatch_path(options.working_folder));
  script += "# A task that is started again goes on in its log.\n";
  const std::string quoted_folder = sbatch_path(folder);
  directive("--output=" + quoted_folder.substr(0, quoted_folder.size() - 1) + "/log-%a.txt\"");
  directive("--open-mode=append");
  script +=
      "# After preemption and when a node fails, Slurm puts the task back into the queue: its runs go on "
      "from their\n"
      "# checkpoints. Before the time limit it sends USR1: the task saves and puts itself back.\n";
  directive("--requeue");
  directive(fmt::format("--signal=B:USR1@{}", warning_seconds(slurm.time)));
  script += "\n";
  if (!options.data.empty()) script += "export GLIDEPATH_DATA=" + quoted(options.data) + "\n";
  script += fmt::format(
      "program={}\n"
      "study={}\n"
      "if [ ! -x \"$program\" ]; then\n"
      "  echo \"$program: not to be seen from node $(hostname); put it on a file system that the nodes "
      "share\" >&2\n"
      "  exit 2\n"
      "fi\n"
      "# In the shell's place, so that Slurm's signals reach it.\n"
      "exec \"$program\" study run-task \"$study\" {} \"$SLURM_ARRAY_TASK_ID\" --max-requeue {}\n",
      quoted(options.program.string()), quoted(options.study.string()), options.array, slurm.max_requeue);
  return script;
}

}  // namespace glidepath
