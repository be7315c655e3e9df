// src/study/progress.cpp - what a study says while it runs, as text.
#include "study/progress.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "glidepath/schedule.h"

namespace glidepath {
namespace {

std::string bar(double progress) {
  constexpr int kCells = 20;
  const int filled = std::clamp(static_cast<int>(std::lround(progress * kCells)), 0, kCells);
  return '[' + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kCells - filled), '.') + ']';
}

std::string time_left(const StudyProgress& progress) {
  if (progress.ended() == progress.total || !(progress.seconds_left >= 0)) return "";
  return fmt::format(", about {} left", rough_duration(progress.seconds_left));
}

std::string outcome(const RunRecord& run) {
  if (run.status == RunStatus::kDone)
    return fmt::format("{:.2f} % in {}", 100 * run.test_accuracy, rough_duration(run.seconds));
  const std::string status = to_string(run.status);
  // A run that diverged says so itself: "diverged: the loss is ...".
  return run.error.rfind(status, 0) == 0 ? run.error : fmt::format("{}: {}", status, run.error);
}

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width > 3 ? width - 3 : 0) + "...";
}

}  // namespace

std::string rough_duration(double seconds) {
  const auto whole = std::llround(std::max(0.0, seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  const auto minutes = std::llround(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  if (minutes < 24 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  return fmt::format("{} d {} h", minutes / (24 * 60), minutes / 60 % 24);
}

std::string run_label(const TrainConfig& config, const std::vector<std::string>& axes) {
  std::vector<std::string> parts;
  for (const std::string& axis : axes) {
    const std::string value = config_value(config, axis);
    parts.push_back(axis == "schedule" ? schedule_label(value)
                    : axis == "budget" ? value
                                       : axis + " " + value);
  }
  return parts.empty() ? schedule_label(config.schedule) + " " + config.budget
                       : fmt::format("{}", fmt::join(parts, " "));
}

std::string finished_line(const RunRecord& run, const StudyProgress& progress,
                          const std::vector<std::string>& axes) {
  const std::string total = fmt::format("{}", progress.total);
  return fmt::format("[{:>{}}/{}] {}: {}{}", progress.ended(), total.size(), total,
                     run_label(run.config, axes), outcome(run), time_left(progress));
}

std::vector<std::string> live_lines(const StudyProgress& progress, const std::vector<std::string>& axes,
                                    std::size_t width) {
  std::vector<std::string> lines;
  double running = 0;
  for (const StudyProgress::Job& job : progress.jobs) {
    running += job.progress;
    lines.push_back(cut(fmt::format("{} {:3.0f} % {}, {}", bar(job.progress), 100 * job.progress,
                                    run_label(job.config, axes), rough_duration(job.seconds)),
                        width));
  }
  const auto ended = static_cast<double>(progress.ended());
  const double share = progress.total == 0 ? 1 : (ended + running) / static_cast<double>(progress.total);
  std::string text =
      fmt::format("{} {:3.0f} % {} of {} runs done", bar(share), 100 * share, progress.done, progress.total);
  if (progress.diverged > 0) text += fmt::format(", {} diverged", progress.diverged);
  if (progress.failed > 0) text += fmt::format(", {} failed", progress.failed);
  if (progress.elsewhere > 0) text += fmt::format(", {} in other processes", progress.elsewhere);
  lines.push_back(cut(text + time_left(progress), width));
  return lines;
}

}  // namespace glidepath
