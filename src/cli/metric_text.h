// src/cli/metric_text.h - a metric of a task for people.
#pragma once
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/train.h"

namespace glidepath::cli {

/// "test mean iou 45.20 %", "perplexity 4.312".
inline std::string metric_text(const ToldMetric& metric) {
  std::string name = terminal_text(metric.name);
  std::replace(name.begin(), name.end(), '_', ' ');
  return metric.is_share ? fmt::format("{} {:.2f} %", name, 100 * metric.value)
                         : fmt::format("{} {:.4g}", name, metric.value);
}

}  // namespace glidepath::cli
