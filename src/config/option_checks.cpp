// src/config/option_checks.cpp - what single train options may be, and the one spelling of each value.
#include "config/option_checks.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "budget/deadline.h"
#include "config/by_name_text.h"
#include "config/config_entry.h"
#include "core/data_names.h"
#include "core/data_split.h"
#include "core/optimizer_names.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "files/home.h"
#include "glidepath/budget.h"
#include "glidepath/resolution.h"
#include "glidepath/schedule.h"

namespace glidepath {

void check_full(const std::string& text) {
  if (parse_budget(text).unit == BudgetUnit::kPercent) {
    refuse_value(text, "the full budget must be in epochs, iterations, time, tok or flop, for example 200ep");
  }
}

void check_eval_every(const std::string& text) {
  if (text == "end") return;
  const BudgetUnit unit = parse_budget(text).unit;
  if (unit == BudgetUnit::kFlops || unit == BudgetUnit::kTokens || unit == BudgetUnit::kSeconds) {
    refuse_value(text, "must be in epochs, iterations or percent of the budget, or \"end\"");
  }
}

void check_checkpoint_every(const std::string& text) {
  const BudgetUnit unit = parse_budget(text).unit;
  if (unit == BudgetUnit::kFlops || unit == BudgetUnit::kTokens) {
    refuse_value(text, "must be in time, iterations, epochs or percent of the budget, for example 5m");
  }
}

void check_device(const std::string& text) {
  const bool is_numbered = text.size() > 5 && text.compare(0, 5, "cuda:") == 0 &&
                           text.find_first_not_of("0123456789", 5) == std::string::npos;
  if (text != "auto" && text != "cpu" && text != "cuda" && !is_numbered)
    refuse_value(text, "must be auto, cpu, cuda or cuda:N");
}

void check_max_corrupt(const std::string& text) {
  const auto [number, unit] = words::split_number(text);
  const auto value = words::number(number);
  const bool is_share = unit == "%" && value && *value >= 0 && *value <= 100;
  const bool is_count = unit.empty() && value && *value >= 0 && *value == std::floor(*value) && *value < 1e15;
  if (!is_share && !is_count)
    refuse_value(text, "must be a share of the split's images or a number of them, for example 1% or 25");
}

// In UTC, so that it is the same moment wherever the file is read.
std::string canonical_deadline(const std::string& text) {
  return text.empty() ? text : deadline_text(parse_deadline(text));
}

std::string canonical_train_res(const std::string& text) {
  return text == "auto" ? text : ResolutionSchedule::parse(text).text();
}

std::string checked_eval_res(const std::string& text) {
  if (text == "auto") return text;
  const auto value = words::whole(text);
  if (!value || *value < 8 || *value > 2048)
    refuse_value(text, "must be auto or a whole number of pixels in [8, 2048]");
  return text;
}

void check_bn_estimate(const std::string& text) {
  constexpr std::int64_t kMost = 1'000'000'000;
  const auto images = words::whole(text);
  if (text != "off" && (!images || *images < 2 || *images > kMost))
    refuse_value(text, "must be a number of training images from 2, for example 4096, or off");
}

void check_crop_padding(const std::string& text) {
  constexpr std::int64_t kMost = 1024;
  const auto pixels = words::whole(text);
  if (text != "auto" && (!pixels || *pixels < 0 || *pixels > kMost))
    refuse_value(text, fmt::format("must be auto or a whole number of pixels in [0, {}]", kMost));
}

std::string canonical_split(const std::string& text) {
  return text.empty() ? text : DataSplit::parse(text).text();
}

std::string canonical_eps(const std::string& text) {
  constexpr double kSmallest = 1e-37;  // a smaller one is 0 as a float, and 0 / 0 no update
  if (text == "auto") return text;
  const auto value = words::number(text);
  if (!value || *value < kSmallest)
    refuse_value(text, fmt::format("must be auto or a number of at least {}", kSmallest));
  return fmt::format("{}", *value);
}

std::string canonical_clip_norm(const std::string& text) {
  if (text == "none") return text;
  const auto value = words::number(text);
  if (!value || !(*value > 0)) refuse_value(text, "must be none or a number above 0");
  return words::number_text(*value);
}

std::string canonical_share_schedule(const std::string& text) {
  const std::string canonical = without_files(text);
  if (canonical.rfind("plateau", 0) == 0)
    refuse_value(text, "follows the loss, and is for the learning rate alone; give a function of progress");
  return canonical;
}

std::string canonical_optimizers_by_name(const std::string& text) {
  for (const auto& item : parse_by_name(text)) {
    const auto& names = known_optimizers();
    if (std::find(names.begin(), names.end(), item.second) == names.end())
      refuse_value(text, fmt::format("\"{}\" is none of {}", item.second, fmt::join(names, ", ")));
  }
  return canonical_by_name(text);
}

std::string canonical_path(const std::string& text) {
  const auto path = expand_home(text);
  if (!path) refuse_value(text, kNoSuchHome);
  if (!is_utf8(*path)) refuse_value(text, "is in a home whose name is no UTF-8 text, which TOML cannot hold");
  return *path;
}

std::string canonical_sha256(const std::string& text) {
  constexpr std::size_t kDigits = 64;
  std::string digits = text;
  for (char& digit : digits)
    digit = digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit;
  if (digits.find_first_not_of("0123456789abcdef") != std::string::npos ||
      (!digits.empty() && digits.size() != kDigits))
    refuse_value(text, "must be 64 hexadecimal digits, as sha256sum prints them");
  return digits;
}

std::string canonical_data(const std::string& text) {
  const std::string prefix = data_prefix(text);
  return prefix.empty() ? text : prefix + canonical_path(text.substr(prefix.size()));
}

std::string checked_ignored_label(const std::string& text) {
  if (text == "auto" || text == "none") return text;
  const auto label = words::count(text);
  if (!label || *label > 255) refuse_value(text, "must be a label in [0, 255], none or auto");
  return std::to_string(*label);
}

}  // namespace glidepath
