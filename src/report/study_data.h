// src/report/study_data.h - the finished runs of a study with their curves and measures, as figures need
// them.
#pragma once
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// A run that is done.
struct StudyRun {
  RunRecord record;
  std::string optimizer = "sgd";
  std::string subject;  ///< as Subjects names it
  double budget =
      std::numeric_limits<double>::quiet_NaN();  ///< percent of the full budget; NaN: in other units
  std::vector<CurvePoint> curve;
  std::vector<MeasurePoint> measures;
};

struct StudyData {
  std::string name;
  std::string caption;         ///< study_caption of the results
  std::vector<StudyRun> runs;  ///< in the plan's order
  StudyReference reference = {};
  std::string score = "test_accuracy";  ///< of the runs' task, as summary.json calls it
  std::string envelope = {};  ///< the subject whose trade-off figure 1 shows; empty: by average rank
};

/// "linear" for SGD, and for the only optimizer of a study; "amsgrad" for another optimizer at a constant
/// rate, "amsgrad, linear" otherwise.
std::string subject_of(const std::string& schedule, const std::string& optimizer, bool is_only_one = false);

/// Which line of a figure a run belongs to: runs of one differ in budget and seed alone.
class Subjects {
 public:
  Subjects() = default;  ///< of schedules and optimizers alone
  explicit Subjects(const StudyResults& results);
  /// subject_of(), and the values on other axes that are not the default: "linear, init weights.safetensors".
  std::string of(const TrainConfig& config) const;

 private:
  bool has_one_optimizer_ = false;
  std::vector<std::string> others_;
};

/// The finished runs of `results` with what the store in `dir` has of them.
StudyData load_study_data(const std::filesystem::path& dir, const StudyResults& results);

/// A run as its record says, without curve and measures.
StudyRun study_run(const RunRecord& record, const Subjects& subjects = {});

/// What runs had in common, in words: "cifar10, resnet8, width 0.5, full budget 12ep, 3 seeds".
std::string study_caption(const StudyResults& results);

}  // namespace glidepath
