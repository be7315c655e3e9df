// src/study/execute/progress.cpp - what a study says while it runs, as text.
#include "study/execute/progress.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/table.h"
#include "study/results/run_words.h"

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
  if (const std::optional<RunScore> score = run_score(run))
    return fmt::format("{} in {}", score->in_words(), rough_duration(run.seconds));
  if (const double loss = shown_loss(run); !std::isnan(loss))
    return fmt::format("loss {:.4g} in {}", loss, rough_duration(run.seconds));
  const std::string status = to_string(run.status);
  // A run that diverged says so itself: "diverged: the loss is ...".
  return run.error.rfind(status, 0) == 0 ? run.error : fmt::format("{}: {}", status, run.error);
}

}  // namespace

std::string rough_duration(double seconds) {
  constexpr double kLongest = 876'600 * 3600.0;  // 100 years
  if (seconds > kLongest) return "more than 100 years";
  const auto whole = std::llround(std::max(0.0, seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  const auto minutes = std::llround(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  if (minutes < 24 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  return fmt::format("{} d {} h", minutes / (24 * 60), minutes / 60 % 24);
}

std::string finished_line(const RunRecord& run, const StudyProgress& progress,
                          const std::vector<std::string>& axes) {
  const std::string total = fmt::format("{}", progress.total);
  return terminal_text(fmt::format("[{:>{}}/{}] {}: {}{}", progress.ended(), total.size(), total,
                                   run_label(run.config, axes), outcome(run), time_left(progress)));
}

std::vector<std::string> live_lines(const StudyProgress& progress, const std::vector<std::string>& axes,
                                    std::size_t width) {
  std::vector<std::string> lines;
  double running = 0;
  for (const StudyProgress::Job& job : progress.jobs) {
    running += job.progress;
    std::vector<std::string> pieces{fmt::format("{} {:3.0f} %", bar(job.progress), 100 * job.progress)};
    for (const std::string& part : label_parts(job.config, axes)) pieces.push_back(" " + terminal_text(part));
    pieces.push_back(", " + rough_duration(job.seconds));
    lines.push_back(words::fitting(pieces, width));
  }
  const auto ended = static_cast<double>(progress.ended());
  const double share = progress.total == 0 ? 1 : (ended + running) / static_cast<double>(progress.total);
  std::vector<std::string> pieces{fmt::format("{} {:3.0f} %", bar(share), 100 * share),
                                  fmt::format(" {} of {} runs done", progress.done, progress.total)};
  if (progress.diverged > 0) pieces.push_back(fmt::format(", {} diverged", progress.diverged));
  if (progress.failed > 0) pieces.push_back(fmt::format(", {} failed", progress.failed));
  if (progress.elsewhere > 0) pieces.push_back(fmt::format(", {} in other processes", progress.elsewhere));
  pieces.push_back(time_left(progress));
  lines.push_back(words::fitting(pieces, width));
  return lines;
}

}  // namespace glidepath
