// include/glidepath/schedule.h - learning-rate schedules as pure functions of progress.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "glidepath/plateau.h"

namespace glidepath {

/// What a schedule may need to know of the run. Zero means unknown: a schedule that needs the value then
/// throws InputError and says which flag gives it. Most schedules need none of it.
struct ScheduleContext {
  double updates = 0;          ///< updates in the budget
  double steps_per_epoch = 0;  ///< updates in an epoch
  double full_updates = 0;     ///< updates in the full budget (for budget-unaware schedules)
  double base_lr = 1;          ///< for an absolute floor (min_lr)
};

/// A pure function f(p) of progress p in [0, 1]; the learning rate is base_lr * f(p). Cheap to copy.
class Schedule {
 public:
  Schedule(std::string text, std::function<double(double)> factor)
      : text_(std::move(text)), factor_(std::move(factor)) {}
  /// The factor at `progress`. Throws InputError outside [0, 1] and for NaN, and for `plateau`, which is no
  /// function of progress alone.
  double operator()(double progress) const;
  /// Canonical text: parse_schedule reads it back to the same function.
  const std::string& text() const { return text_; }
  /// For `plateau`: the options of the Plateau that the training loop feeds with losses.
  const std::optional<PlateauOptions>& plateau() const { return plateau_; }
  static Schedule from_plateau(std::string text, const PlateauOptions& options);

 private:
  std::string text_;
  std::function<double(double)> factor_;
  std::optional<PlateauOptions> plateau_;
};

/// Reads the one grammar of the CLI, study files, C++ and Python (docs/schedules.md).
/// Throws InputError naming the text, what is wrong and what would be right.
Schedule parse_schedule(std::string_view text, const ScheduleContext& context = {});

/// The canonical text of a schedule; checks names and arguments without needing a context.
std::string canonical_schedule(std::string_view text);

/// The same text, or, where it is or holds file(...), its canonical text, in which the file's points stand:
/// what a run's configuration keeps, so that it needs the file no more. Throws as parse_schedule.
std::string without_files(std::string_view text);

/// A short name for tables and figures: the text itself, but of points(...) its name=, or its first and last
/// points where there are many.
std::string schedule_label(std::string_view text);

struct ScheduleInfo {
  std::string name;     ///< as written in the grammar, e.g. "poly"
  std::string form;     ///< with arguments and defaults, e.g. "poly(power=0.9)"
  std::string formula;  ///< f(p), plain text
  std::string source;   ///< paper
  std::string example;  ///< a text that parse_schedule reads, e.g. "poly(power=2)"
  std::string ends_at;  ///< f(1): "0" for those that land on zero exactly, else what it is
};
/// Every schedule, in the order of docs/schedules.md.
const std::vector<ScheduleInfo>& schedule_list();

}  // namespace glidepath
