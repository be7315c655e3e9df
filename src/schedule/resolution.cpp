// src/schedule/resolution.cpp - the size of training images as a pure function of progress.
#include "glidepath/resolution.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::int64_t kSmallest = 8, kLargest = 2048, kMultiple = 32;

std::int64_t read_size(std::string_view size, std::string_view text) {
  const auto value = words::number(words::trim(size));
  const bool in_range = value && *value >= kSmallest && *value <= kLargest;
  if (!in_range || *value != static_cast<double>(static_cast<std::int64_t>(*value))) {
    words::refuse(text,
                  fmt::format("size \"{}\" must be a whole number of pixels in [{}, {}], for example 224, "
                              "128..224 or 128@0,224@50%",
                              words::trim(size), kSmallest, kLargest));
  }
  return static_cast<std::int64_t>(*value);
}

double read_share(std::string_view share, std::string_view text) {
  const auto [number, unit] = words::split_number(words::trim(share));
  const auto value = words::number(number);
  const double at = value ? (unit == "%" ? *value / 100 : *value) : -1;
  if ((!unit.empty() && unit != "%") || !(at >= 0 && at < 1)) {
    words::refuse(text, fmt::format("\"{}\" must be a share of the budget in [0, 1), for example 50% or 0.5",
                                    words::trim(share)));
  }
  return at;
}

}  // namespace

ResolutionSchedule ResolutionSchedule::parse(std::string_view text) {
  ResolutionSchedule schedule;
  if (const auto dots = text.find(".."); dots != text.npos) {
    const std::int64_t first = read_size(text.substr(0, dots), text);
    const std::int64_t last = read_size(text.substr(dots + 2), text);
    if (first % kMultiple != 0 || last % kMultiple != 0)
      words::refuse(text,
                    fmt::format("sizes around .. must be multiples of {}; others can be written as steps, "
                                "{}@0,{}@50%",
                                kMultiple, first, last));
    // Between two multiples the nearest changes half-way: where p is an odd number of halves of a step.
    const std::int64_t count = std::abs(last - first) / kMultiple;
    for (std::int64_t i = 0; i <= count; ++i) {
      const double begins = i == 0 ? 0 : (static_cast<double>(i) - 0.5) / static_cast<double>(count);
      schedule.steps_.emplace_back(begins, first + (last > first ? i : -i) * kMultiple);
    }
    schedule.text_ = count == 0 ? fmt::format("{}", first) : fmt::format("{}..{}", first, last);
    return schedule;
  }
  if (text.find('@') == text.npos) {
    schedule.steps_.emplace_back(0, read_size(text, text));
    schedule.text_ = fmt::format("{}", schedule.steps_.front().second);
    return schedule;
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view step = rest.substr(0, rest.find(','));
    rest = step.size() == rest.size() ? std::string_view() : rest.substr(step.size() + 1);
    const auto at = step.find('@');
    if (at == step.npos)
      words::refuse(
          text, fmt::format("step \"{}\" must say where it begins, for example 192@50%", words::trim(step)));
    const double begins = read_share(step.substr(at + 1), text);
    const std::int64_t size = read_size(step.substr(0, at), text);
    if (schedule.steps_.empty() && begins != 0)
      words::refuse(text, "the first step must begin at 0, for example 128@0");
    if (!schedule.steps_.empty() && !(begins > schedule.steps_.back().first))
      words::refuse(text, fmt::format("step \"{}\" must begin after the one before it", words::trim(step)));
    schedule.text_ += fmt::format("{}{}@{}", schedule.text_.empty() ? "" : ",", size,
                                  begins == 0 ? "0" : words::share_text(begins));
    schedule.steps_.emplace_back(begins, size);
  }
  return schedule;
}

std::int64_t ResolutionSchedule::at(double progress) const {
  if (!(progress >= 0 && progress <= 1))
    throw InputError(fmt::format("progress {} is not in [0, 1]", progress));
  std::int64_t size = steps_.front().second;
  for (const auto& [begins, side] : steps_) {
    if (progress >= begins) size = side;
  }
  return size;
}

std::vector<std::int64_t> ResolutionSchedule::sizes() const {
  std::vector<std::int64_t> sizes;
  for (const auto& step : steps_) sizes.push_back(step.second);
  return sizes;
}

}  // namespace glidepath
