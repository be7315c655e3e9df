// src/study/store/run_points.h - curves and measures of the runs of one folder, opened once for all of them.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// As read_curve() and read_measures(), which look for the run anew each time: a folder of thousands of runs
/// would be listed thousands of times.
class RunPoints {
 public:
  /// Throws InputError when DIR holds neither a study nor runs.
  explicit RunPoints(const std::filesystem::path& dir);
  ~RunPoints();

  std::vector<CurvePoint> curve(const std::string& run_id) const;
  std::vector<MeasurePoint> measures(const std::string& run_id) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace glidepath
