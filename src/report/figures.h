// src/report/figures.h - what figures show, computed from a study's results; no drawing.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// One schedule's line: at each budget it has finished runs for.
struct AccuracyLine {
  std::string schedule;
  bool cut = false;                  ///< budget-unaware, cut at the budget: drawn dashed
  std::vector<double> budget;        ///< percent of the full budget, rising
  std::vector<double> mean, stddev;  ///< test accuracy in percent over the seeds; stddev 0 for one seed
  double average() const;            ///< mean of `mean`
};

struct Figure1 {
  std::vector<AccuracyLine> lines;  ///< best average first
  double reference = 0;             ///< best mean accuracy at the largest budget, in percent
  std::vector<double> budget,
      envelope;  ///< the best mean at each budget, relative to `reference`, in percent
};

/// Throws InputError when no run with its budget in percent has finished.
Figure1 make_figure1(const StudyResults& results);

/// What runs had in common, in words: "cifar10, resnet8, width 0.5, full budget 12ep, 3 seeds".
std::string study_caption(const StudyResults& results);

}  // namespace glidepath
